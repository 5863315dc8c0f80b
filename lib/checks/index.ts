// What assignments assert with lives here: gradients against central differences, and more as the course needs it.
// Nothing is trained or drawn here.
// Go next to notebooks/ to see it used.
export {
  checkGradients,
  type GradientCheck,
  type GradientCheckOptions,
  type GradientCheckReport,
} from "./gradients.ts";

// What assignments assert with lives here: gradients against central differences, closeness with a readable difference,
// shapes, falling losses, budgets of memory, partial credit.
// Nothing is trained or drawn here.
// Go next to notebooks/ to see it used.
export {
  checkClose,
  checkLossFalls,
  checkPeakBelow,
  checkShape,
  credit,
  type Losses,
  type Numbers,
  type Tolerance,
} from "./assertions.ts";
export {
  checkGradients,
  type GradientCheck,
  type GradientCheckOptions,
  type GradientCheckReport,
} from "./gradients.ts";

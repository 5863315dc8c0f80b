// The operators live here, a family a file: each declares its type rule, its meaning, its gradient and its cost.
// How an engine executes them does not: see loops/ and engine/ for the host, lowering/ for tiles.
// Adding one takes a declaration and a line in table.ts; the compiler then names every rule table that lacks it.
export { dropoutLane, dropThreshold } from "./dropout.ts";
export { geluFactors } from "./elementwise-unary.ts";
export { startsAlong } from "./pieces.ts";
export { noIndex } from "./pooling.ts";
export { quantizeLevels } from "./quantize.ts";
export { type OperatorName, operators, operatorTable } from "./table.ts";
export { uniformLane } from "./uniform.ts";
export { type Window, windowsOver } from "./window.ts";

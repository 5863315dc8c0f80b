import { castBlocks } from "../codelets/index.ts";
import type { BlockVariable, ElementType, PlacedTensor } from "../graph/index.ts";
import type { Lowering } from "./lowering.ts";

/** Adds vertices that make a tensor in another type where it lies, and returns it; the tensor itself if it has the type. */
export function castPlaced(
  lowering: Lowering,
  { variable, layout }: PlacedTensor,
  type: ElementType,
  result?: BlockVariable,
): PlacedTensor {
  if (variable.type === type && result === undefined) return { variable, layout };
  const step = result === undefined ? "cast" : "";
  const made = result ?? lowering.addTemporary(step, layout, type);
  lowering.addBlockWork({
    step,
    codelet: castBlocks(variable.type, type),
    out: "out",
    operands: { in: { variable } },
    result: made,
    tiles: variable.tiles,
    list: true,
  });
  return { variable: made, layout };
}

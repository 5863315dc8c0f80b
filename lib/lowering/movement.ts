import { type Movement, rearrange, sourceBlocks } from "../codelets/index.ts";
import type { BlockLayout, BlockVariable, PlacedTensor } from "../graph/index.ts";
import { spreadOverTiles } from "./columns.ts";
import type { Lowering } from "./lowering.ts";

/** Adds vertices that make a tensor in a layout of elements of another, and returns it. */
export function moveBlocks(
  lowering: Lowering,
  { variable: from, layout }: PlacedTensor,
  to: BlockLayout,
  source: (position: number) => number,
  result?: BlockVariable,
): BlockVariable {
  if (from.type !== "float" && from.type !== "int") {
    throw new Error(
      `lower: elements that change their layout must be float or int, got ${from.type} ("${from.name}"); cast them`,
    );
  }
  const step = result === undefined ? "layout" : "";
  const made = result ?? lowering.addTemporary(step, to, from.type);
  const movement: Movement = { from: layout, to, source };
  const blockOf = layout.blocksOfElements();
  const starts = new Uint32Array(to.count + 1);
  const lists: number[][] = [];
  for (let block = 0; block < to.count; block++) {
    const sources = sourceBlocks(movement, block, blockOf);
    lists.push(sources);
    starts[block + 1] = starts[block] + sources.length;
  }
  const blocks = new Uint32Array(starts[to.count]);
  for (const [block, sources] of lists.entries()) {
    for (const [place, number] of sources.entries()) blocks[starts[block] + place] = from.firstBlock + number;
  }
  lowering.addFamily(step, {
    codelet: rearrange(movement, from.type),
    count: to.count,
    inputs: { in: { variable: from, blocks, starts } },
    outputs: { out: { variable: made } },
    states: { block: { every: 1, values: Uint32Array.from({ length: to.count }, (_, block) => block) } },
    tiles: spreadOverTiles(to.count, lowering.target.tileCount),
  });
  return made;
}

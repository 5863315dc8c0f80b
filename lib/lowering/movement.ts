import { type Movement, rearrange, sourceBlocks } from "../codelets/index.ts";
import type { BlockLayout, BlockVariable, PlacedTensor } from "../graph/index.ts";
import type { Lowering } from "./lowering.ts";

/**
 * Adds vertices that make a tensor in a layout of elements of another, and returns it.
 *
 * @param only blocks of the result to make, if others make the rest
 */
export function moveBlocks(
  lowering: Lowering,
  { variable: from, layout }: PlacedTensor,
  to: BlockLayout,
  source: (position: number) => number,
  result?: BlockVariable,
  only?: readonly number[],
): BlockVariable {
  if (from.type === "bool") {
    throw new Error(
      `lower: elements that change their layout must be float, half or int, got ${from.type} ("${from.name}"); cast them`,
    );
  }
  const step = result === undefined ? "layout" : "";
  const made = result ?? lowering.addTemporary(step, to, from.type);
  const movement: Movement = { from: layout, to, source };
  const blockOf = layout.blocksOfElements();
  const own = only ?? Array.from({ length: to.count }, (_, block) => block);
  const starts = new Uint32Array(own.length + 1);
  const lists: number[][] = [];
  for (const [vertex, block] of own.entries()) {
    const sources = sourceBlocks(movement, block, blockOf);
    lists.push(sources);
    starts[vertex + 1] = starts[vertex] + sources.length;
  }
  const blocks = new Uint32Array(starts[own.length]);
  for (const [vertex, sources] of lists.entries()) {
    for (const [place, number] of sources.entries()) blocks[starts[vertex] + place] = from.firstBlock + number;
  }
  const { tileCount } = lowering.target;
  lowering.addFamily(step, {
    codelet: rearrange(movement, from.type),
    count: own.length,
    inputs: { in: { variable: from, blocks, starts } },
    outputs: {
      out: only === undefined ? { variable: made } : { variable: made, blocks: toBlocks(made, only) },
    },
    states: { block: { every: 1, values: Uint32Array.from(own) } },
    tiles: Uint16Array.from(own, (block) => Math.floor((block * tileCount) / to.count)),
  });
  return made;
}

/** Graph-wide numbers of blocks of a variable. */
function toBlocks({ firstBlock }: BlockVariable, blocks: readonly number[]): Uint32Array {
  return Uint32Array.from(blocks, (block) => firstBlock + block);
}

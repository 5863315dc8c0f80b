import { type BlockLayout, codelet, input, output, state } from "../graph/index.ts";
import { oneWorker } from "./support.ts";

/** Where the elements of a tensor in blocks come from: a tensor in other blocks, looked at in another way. */
export interface Movement {
  readonly from: BlockLayout;
  readonly to: BlockLayout;
  /** For the row-major position of an element of `to`, that of its source in `from`; negative for one that is 0. */
  readonly source: (position: number) => number;
}

/**
 * The blocks of `from` that the elements of a block of `to` come from, rising, each once.
 *
 * @param blockOf block of each element of `from`, row-major: `from.blocksOfElements()`
 */
export function sourceBlocks({ to, source }: Movement, block: number, blockOf: Uint32Array): number[] {
  const found: number[] = [];
  let last = -1;
  let rising = true;
  to.forEachElement(block, (position) => {
    const from = source(position);
    if (from < 0) return;
    const other = blockOf[from];
    if (other === last) return;
    if (other < last) rising = false;
    found.push((last = other));
  });
  return rising ? found : [...new Set(found)].sort((a, b) => a - b);
}

/**
 * A block whose elements come from other blocks: what changes the layout between layers. `in` are the blocks that
 * `sourceBlocks` names, in its order; `block` is the block of `to` that the vertex makes.
 *
 * Cycles of a worker: 20, 6 for each source block, and 2 for each element, a load and a store that cannot be paired, as
 * an assumption.
 */
export function rearrange(movement: Movement, type: "float" | "half" | "int") {
  const { from, to, source } = movement;
  let tables: { readonly blocks: Uint32Array; readonly places: Uint32Array } | undefined;
  return codelet(
    `Rearrange<${type},${from} → ${to}>`,
    { in: input.vectors(type), out: output.vector(type), block: state() },
    ({ in: sources, out, block }) => {
      tables ??= { blocks: from.blocksOfElements(), places: from.storagePlaces() };
      const { blocks, places } = tables;
      const listed = new Map(sourceBlocks(movement, block, blocks).map((number, place) => [number, place]));
      let next = 0;
      to.forEachElement(block, (position) => {
        const element = source(position);
        if (element < 0) out[next++] = 0;
        else {
          const holder = blocks[element];
          out[next++] = sources[listed.get(holder) as number][places[element] - from.offsetOf(holder)];
        }
      });
    },
    ({ in: sources, out }) => 20 + 6 * sources.length + 2 * out.length,
    oneWorker,
  );
}

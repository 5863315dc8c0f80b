import { type Affine, type Axis, along, at, plus, rowMajor, substituted, termOf } from "./affine.ts";
import { Dependencies, indicesIn, reductionsIn } from "./analysis.ts";
import type { Buffer } from "./buffer.ts";
import { type Expression, load, multiply, operandsOf, type Reduction } from "./expression.ts";
import { looped, nestOver } from "./loop-space.ts";
import { mergeable, mergeReductions, rewrittenAll, type Space } from "./merge.ts";
import { type Nest, threadAxis } from "./nest.ts";
import { type ProductVariant, standardProducts } from "./product-variants.ts";

// Sums of products, panel by panel: for a few columns at a time the factor that depends on columns is copied into a panel
// that holds them side by side, in the order in which the sum goes through it; then all rows go over the panel. So every
// product of matrices and every convolution reads memory in order, whatever its strides, and only a panel a thread is
// ever copied.

/** From how many rows on it pays to copy a panel. */
const rowsWorthPacking = 16;
/** Terms of a sum below which reading in place is as good. */
const termsWorthPacking = 32;
/** Terms that follow each other in memory from which on the lanes go along the sum. */
const termsAlongLanes = 8;
/** A second operand that stays in the nearest cache by itself needs no copy. */
const bytesKeptNear = 16 * 1024;
/** The largest panel: it must stay in a cache of the thread's own. */
const mostPanelBytes = 1024 * 1024;
/** Columns beyond which panels win nothing. */
const mostColumns = 128;
/** Where it is all the same otherwise, columns up to this many make a panel: rows then are fetched less often. */
const fewColumns = 32;
/** Columns that fill a vector. */
const vectorColumns = 4;
/** Blocks that must be left then, so that threads can share them evenly. */
const manyBlocks = 8;
/** Blocks that there should be at least, so that threads have something to share. */
const fewestBlocks = 4;
/** Rows that must be left to each thread where threads share rows and each copies the panel for itself. */
const rowsWorthSharing = 32;
/** Panels of threads begin in cache lines of their own. */
const lineElements = 16;

/** Nests that go panel by panel, and the bytes of one thread's panel. */
export interface Blocked {
  readonly nests: readonly Nest[];
  readonly panelBytes: number;
}

/** What is known about a sum of products that is worth blocking. */
interface Product {
  readonly reduction: Reduction & { readonly body: Extract<Expression, { kind: "binary" }> };
  /** The factor that depends on columns. */
  readonly packed: Expression;
  /** Axes that only the other factor depends on. */
  readonly rows: readonly Axis[];
  /** The last axes, of which neighbours become columns of a panel; the first of them is cut into blocks. */
  readonly columns: readonly [Axis, ...Axis[]];
  /** All other axes. */
  readonly around: readonly Axis[];
}

const extentOf = (axes: readonly Axis[]): number => axes.reduce((product, { extent }) => product * extent, 1);

/**
 * A nest with one sum of products as blocks; null where that does not pay or cannot be.
 *
 * @param space what is computed, without axes of extent 1
 * @param panel the scratch buffer for panels
 * @param variant how the sum is tiled; whether it is blocked does not depend on it
 */
export function blocked(
  name: string,
  space: Space,
  panel: Buffer,
  variant: ProductVariant = standardProducts,
): Blocked | null {
  const product = productOf(space);
  if (product === null) return null;
  const [first, ...rest] = product.columns;
  const terms = extentOf(product.reduction.axes);
  const beside = extentOf(rest);
  const standard = blockSize(first.extent, beside, terms, extentOf(product.around));
  if (standard === null) return null;
  const size =
    variant.mostColumns === null ? standard : narrowSize(first.extent, beside, variant.mostColumns, standard);
  const whole = Math.floor(first.extent / size);
  const left = first.extent % size;
  const panelElements = roundUp(terms * size * beside);
  const blocks = [{ start: 0, count: whole, size }];
  if (left > 0) blocks.push({ start: whole * size, count: 1, size: left });
  const nests = blocks.map((block) => blockNest(name, space, product, { ...block, panel, panelElements, variant }));
  return { nests, panelBytes: 4 * panelElements };
}

const roundUp = (elements: number): number => Math.ceil(elements / lineElements) * lineElements;

function productOf({ axes, stores }: Space): Product | null {
  const values = stores.map((store) => store.value);
  const [reduction, ...others] = reductionsIn(values);
  const last = axes.at(-1);
  if (last === undefined || reduction === undefined || others.length > 0 || !reduction.contracted) return null;
  const { body } = reduction;
  if (body.kind !== "binary" || body.name !== "multiply") return null;
  if (stores.some(({ depth }) => depth !== axes.length)) return null;
  const dependencies = new Dependencies();
  const [left, right] = [dependencies.of(body.left), dependencies.of(body.right)];
  if (left.has(last) === right.has(last)) return null;
  const [ofPacked, ofOther] = left.has(last) ? [left, right] : [right, left];
  const packed = left.has(last) ? body.left : body.right;
  // Whatever is stored, or read once a sum is known, must be able to go along the columns as one axis.
  const outside = [...stores.map((store) => store.index), ...indicesOutside(values, reduction)];
  const columns: [Axis, ...Axis[]] = [last];
  for (const axis of axes.slice(0, -1).reverse()) {
    const own = ofPacked.has(axis) && !ofOther.has(axis);
    if (!own || !mergeable(outside, axis, columns[0])) break;
    columns.unshift(axis);
  }
  const rows = axes.filter((axis) => ofOther.has(axis) && !ofPacked.has(axis));
  const around = axes.filter((axis) => !rows.includes(axis) && !columns.includes(axis));
  const found: Product = { reduction: { ...reduction, body }, packed, rows, columns, around };
  return paysToPack(found) ? found : null;
}

function paysToPack({ reduction, packed, rows, columns }: Product): boolean {
  const terms = extentOf(reduction.axes);
  if (extentOf(rows) < rowsWorthPacking || terms < termsWorthPacking) return false;
  // Where both factors lie along the sum, lanes can go along it too, and nothing needs to be turned.
  const inner = reduction.axes[reduction.axes.length - 1];
  const alongSum = indicesIn([reduction.body]).every((index) => termOf(index, inner).inner === 1);
  if (reduction.interleaved && reduction.axes.length > 1 && alongSum && inner.extent >= termsAlongLanes) return false;
  const near = 4 * terms * extentOf(columns) <= bytesKeptNear;
  const inOrder = indicesIn([packed]).every((index) => termOf(index, columns[columns.length - 1]).inner === 1);
  return !(near && inOrder && reduction.axes.length === 1);
}

/** The indices of all loads that are not part of a reduction. */
function indicesOutside(values: readonly Expression[], reduction: Reduction): readonly Affine[] {
  const found: Affine[] = [];
  const seen = new Set<Expression>();
  const walk = (expression: Expression): void => {
    if (seen.has(expression)) return;
    seen.add(expression);
    if (expression.kind === "load" || expression.kind === "index") found.push(expression.index);
    if (expression.kind !== "reduce" || expression.axes !== reduction.axes) operandsOf(expression).forEach(walk);
  };
  values.forEach(walk);
  return found;
}

/** How many values of the first column axis make a panel, so that few vectors are not full; null if no panel is small enough. */
function blockSize(extent: number, beside: number, terms: number, around: number): number | null {
  /** A row's time for so many columns: vectors of four two by two; the last alone waits for itself. */
  const time = (columns: number): number => {
    const vectors = Math.ceil(columns / 4);
    return vectors % 2 === 0 ? vectors : vectors + 0.5;
  };
  let best: { readonly size: number; readonly cost: number } | null = null;
  for (let size = 1; size <= extent; size++) {
    const columns = size * beside;
    if (columns > mostColumns || 4 * terms * columns > mostPanelBytes) break;
    const left = extent % size;
    const cost = Math.floor(extent / size) * time(columns) + (left > 0 ? time(left * beside) : 0);
    const enough = Math.floor(extent / size) * around >= manyBlocks;
    const same = best !== null && cost === best.cost && columns <= fewColumns && enough;
    if (best === null || cost < best.cost || same) best = { size, cost };
  }
  return best?.size ?? null;
}

/**
 * The largest size, up to the standard one, with no more columns than told. What is left over must be a vector wide, as
 * fewer columns are summed in another order; if there is no such size, the standard one.
 */
function narrowSize(extent: number, beside: number, mostColumns: number, standard: number): number {
  for (let size = Math.min(standard, Math.floor(mostColumns / beside)); size > 0; size--) {
    const left = (extent % size) * beside;
    if (size * beside >= vectorColumns && (left === 0 || left >= vectorColumns)) return size;
  }
  return standard;
}

interface Block {
  /** The first value of the first column axis, how many blocks there are, and how many values each has. */
  readonly start: number;
  readonly count: number;
  readonly size: number;
  readonly panel: Buffer;
  readonly panelElements: number;
  readonly variant: ProductVariant;
}

function blockNest(name: string, space: Space, product: Product, block: Block): Nest {
  const { reduction, packed, columns, around, rows } = product;
  const [first, ...rest] = columns;
  const outer: Axis = { name: `${first.name}'`, extent: block.count };
  const within: Axis = { name: first.name, extent: block.size };
  const cut = new Map([[first, plus(along(outer, block.size), along(within), at(block.start))]]);
  const shared = shareRows(rows, extentOf(around) * block.count);
  if (shared !== null) cut.set(shared.axis, plus(along(shared.parts, shared.within.extent), along(shared.within)));

  const inner = [within, ...rest];
  const panelAxes = [...reduction.axes, ...inner];
  const place = plus(along(threadAxis, block.panelElements), rowMajor(panelAxes));
  const index = (old: Affine): Affine => substituted(old, cut);
  const [copied] = rewrittenAll([packed], { index });
  const pack = nestOver("pack", panelAxes, [{ buffer: block.panel, index: place, value: copied }]);
  const fromPanel = load(block.panel, place);
  const { left, right } = reduction.body;
  const [other] = rewrittenAll([left === packed ? right : left], { index });
  const sum = mergeReductions({
    ...reduction,
    body: left === packed ? multiply(fromPanel, other) : multiply(other, fromPanel),
  });
  const replace = (expression: Expression): Expression | null =>
    expression.kind === "reduce" && expression.axes === reduction.axes ? sum : null;
  const mainAxes = [...rows.map((axis) => (axis === shared?.axis ? shared.within : axis)), ...inner];
  const values = rewrittenAll(
    space.stores.map((store) => store.value),
    { index, replace },
  );
  const stores = space.stores.map((store, position) => ({
    buffer: store.buffer,
    index: index(store.index),
    value: values[position],
  }));
  const outside = [...around, outer, ...(shared === null ? [] : [shared.parts])];
  return looped(name, outside, true, [pack, nestOver(name, mainAxes, stores, block.variant)]);
}

/** Rows as parts of equal size for threads to share, where there are too few blocks for that. */
function shareRows(
  rows: readonly Axis[],
  blocks: number,
): { readonly axis: Axis; readonly parts: Axis; readonly within: Axis } | null {
  const [axis] = rows;
  if (axis === undefined || blocks >= fewestBlocks) return null;
  for (let parts = Math.ceil(fewestBlocks / blocks); parts > 1; parts--) {
    if (axis.extent % parts !== 0 || axis.extent / parts < rowsWorthSharing) continue;
    return {
      axis,
      parts: { name: `${axis.name}'`, extent: parts },
      within: { name: axis.name, extent: axis.extent / parts },
    };
  }
  return null;
}

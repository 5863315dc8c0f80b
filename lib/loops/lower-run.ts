import { elementCount } from "../tensor/index.ts";
import { type Affine, type Axis, along, at, plus } from "./affine.ts";
import type { Buffer } from "./buffer.ts";
import { type Expression, load } from "./expression.ts";
import type { BlockedRun, FusedStep } from "./fused-step.ts";
import { type Group, lowerGroup } from "./lower.ts";
import { rewrittenAll } from "./merge.ts";
import { type Kernel, type Nest, type Scratch, threadAxis } from "./nest.ts";
import { type ProductVariant, standardProducts } from "./product-variants.ts";
import { type Access, accessesOf, dependsOnBlock, staysInBlock } from "./sample-access.ts";

/**
 * The loops of a step.
 *
 * @param products how sums of products are tiled
 */
export function lowerStep(step: Group & Pick<FusedStep, "run">, products: ProductVariant = standardProducts): Kernel {
  if (step.run === undefined) return lowerGroup(step, null, products);
  return new RunLowering(step, step.run, products).kernel();
}

/**
 * The loops of a step over the samples of one block. What it puts together in scratch memory is put together for the
 * block alone where nothing reads beyond the block, and for all samples where something does.
 */
export function lowerForBlock(
  step: Group,
  block: Axis,
  samples: number,
  products: ProductVariant = standardProducts,
): Kernel {
  const kernel = lowerGroup(step, { block, samples, whole: new Set() }, products);
  const whole = new Set<number>();
  for (const { buffer, index } of kernel.nests.flatMap(accessesOf)) {
    if (buffer.kind !== "scratch" || kernel.scratch[buffer.index].perThread) continue;
    const elements = elementsOf(kernel.scratch[buffer.index]) / block.extent;
    if (!staysInBlock(index, block, elements)) whole.add(buffer.index);
  }
  return whole.size === 0 ? kernel : lowerGroup(step, { block, samples, whole }, products);
}

/** Numbers that a thread keeps for the samples of one block, from a step of the run to another. */
interface Region {
  readonly elements: number;
  readonly first: number;
  last: number;
  /** From where the thread's own scratch memory begins. */
  offset: number;
}

/** Regions begin in cache lines of their own. */
const lineElements = 16;

/**
 * All steps of a run inside one loop over blocks of samples. What only the run needs lies in scratch memory of the
 * thread's own, for the samples of one block; what does not depend on the block is done before.
 */
class RunLowering {
  readonly #name: string;
  readonly #run: BlockedRun;
  readonly #products: ProductVariant;
  readonly #block: Axis;
  /** The storages that are needed beyond the run. */
  readonly #kept: ReadonlySet<number>;
  readonly #regions: Region[] = [];
  readonly #ofStorage = new Map<number, Region>();
  /** What is put together for all samples; before it comes the one buffer for what threads have of their own. */
  readonly #shared: Scratch[] = [];

  constructor({ name, writes }: Pick<Group, "name" | "writes">, run: BlockedRun, products: ProductVariant) {
    this.#name = name;
    this.#run = run;
    this.#products = products;
    this.#block = { name: "block", extent: run.batch / run.samples };
    this.#kept = new Set(writes.map(({ id }) => this.#storageOf(id)));
  }

  kernel(): Kernel {
    const lowered = this.#run.steps.map((step, position) => this.#lower(step, position));
    const elements = place(this.#regions);
    const nestsOf = (inside: boolean): readonly Nest[] =>
      lowered.flatMap(({ kernel, scratch }) => {
        const own = kernel.nests.filter((nest) => dependsOnBlock(nest, this.#block) === inside);
        return own.map((nest) => this.#moved(nest, scratch, elements));
      });
    const around = { axis: this.#block, tile: 1, parallel: true };
    return {
      name: this.#name,
      nests: [
        ...nestsOf(false),
        { name: this.#name, loops: [around], vector: null, stores: [], inside: nestsOf(true) },
      ],
      scratch: [{ bytes: 4 * elements, perThread: true }, ...this.#shared],
    };
  }

  /** The loops of one step, and where each of its scratch buffers goes: a region, or the number of a shared buffer. */
  #lower(step: FusedStep, position: number) {
    const kernel = lowerForBlock(step, this.#block, this.#run.samples, this.#products);
    for (const value of step.writes) {
      const storage = this.#storageOf(value.id);
      if (this.#kept.has(storage) || this.#ofStorage.has(storage)) continue;
      this.#ofStorage.set(storage, this.#region(elementCount(value.type.shape) / this.#block.extent, position));
    }
    const accesses = kernel.nests.flatMap(accessesOf);
    for (const { buffer } of accesses) {
      const region = buffer.kind === "value" ? this.#ofStorage.get(this.#storageOf(buffer.id)) : undefined;
      if (region !== undefined) region.last = position;
    }
    const scratch = kernel.scratch.map((one, index): Region | number => {
      if (one.perThread) return this.#region(elementsOf(one), position);
      const own = ({ buffer }: Access): boolean => buffer.kind === "scratch" && buffer.index === index;
      const elements = elementsOf(one) / this.#block.extent;
      const inBlock = accesses.filter(own).every((access) => staysInBlock(access.index, this.#block, elements));
      return inBlock ? this.#region(elements, position) : this.#shared.push(one);
    });
    return { kernel, scratch };
  }

  #region(elements: number, position: number): Region {
    const region = { elements: roundUp(elements), first: position, last: position, offset: 0 };
    this.#regions.push(region);
    return region;
  }

  /** A nest of one step with its buffers where the run has them. */
  #moved(nest: Nest, scratch: readonly (Region | number)[], elementsPerThread: number): Nest {
    const ofThread = (index: Affine, { offset }: Region): Affine => {
      const terms = index.terms.filter(({ axis }) => axis !== this.#block && axis !== threadAxis);
      return plus({ constant: index.constant, terms }, along(threadAxis, elementsPerThread), at(offset));
    };
    const access = ({ buffer, index }: Access): Access => {
      const to = buffer.kind === "value" ? this.#ofStorage.get(this.#storageOf(buffer.id)) : scratch[buffer.index];
      if (to === undefined) return { buffer, index };
      const { dtype } = buffer;
      if (typeof to === "number") return { buffer: { kind: "scratch", index: to, dtype }, index };
      return { buffer: ofThreads[dtype], index: ofThread(index, to) };
    };
    const values = rewrittenAll(
      nest.stores.map((store) => store.value),
      { index: (index) => index, replace: (expression) => loadFrom(expression, access) },
    );
    return {
      ...nest,
      stores: nest.stores.map((store, position) => ({ ...store, ...access(store), value: values[position] })),
      inside: nest.inside?.map((inner) => this.#moved(inner, scratch, elementsPerThread)),
    };
  }

  #storageOf(id: number): number {
    return this.#run.storage.get(id) ?? id;
  }
}

/** The scratch buffer that holds all regions. */
const ofThreads = {
  float32: { kind: "scratch", index: 0, dtype: "float32" },
  int32: { kind: "scratch", index: 0, dtype: "int32" },
} as const satisfies Readonly<Record<string, Buffer>>;

function loadFrom(expression: Expression, access: (from: Access) => Access): Expression | null {
  if (expression.kind !== "load") return null;
  const { buffer, index } = access(expression);
  return load(buffer, index);
}

/** Gives each region the lowest place that is free while it is needed, large ones first; how many elements all take. */
function place(regions: readonly Region[]): number {
  const placed: Region[] = [];
  for (const region of [...regions].sort((a, b) => b.elements - a.elements)) {
    const beside = placed
      .filter(({ first, last }) => first <= region.last && region.first <= last)
      .sort((a, b) => a.offset - b.offset);
    for (const { offset, elements } of beside) {
      if (region.offset + region.elements <= offset) break;
      region.offset = Math.max(region.offset, offset + elements);
    }
    placed.push(region);
  }
  return placed.reduce((most, { offset, elements }) => Math.max(most, offset + elements), 0);
}

const elementsOf = ({ bytes }: Scratch): number => bytes / 4;
const roundUp = (elements: number): number => Math.ceil(elements / lineElements) * lineElements;

import { elementCount } from "../tensor/index.ts";
import { type Affine, type Axis, along, at, plus, substituted } from "./affine.ts";
import { buffersOf } from "./analysis.ts";
import type { Buffer } from "./buffer.ts";
import { largestDivisor } from "./divisors.ts";
import { constant, type Expression, load } from "./expression.ts";
import type { BlockedRun, FusedStep, SampleBlocks } from "./fused-step.ts";
import { looped, nestOver } from "./loop-space.ts";
import { type Group, lowerGroup, type SampleCut } from "./lower.ts";
import { rewrittenAll } from "./merge.ts";
import { type Kernel, type Nest, type Scratch, threadAxis } from "./nest.ts";
import { type ProductVariant, standardProducts } from "./product-variants.ts";
import { type Access, accessesOf, dependsOnBlock, followsBlocks, staysInBlock } from "./sample-access.ts";

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
 * block alone where nothing reads beyond the block, and for all samples where something does. As many filters as there
 * are samples look like samples: where these are summed over, the loops over the sums stay whole.
 */
export function lowerForBlock(step: Group, cut: BlockCut, products: ProductVariant = standardProducts): Kernel {
  const kernel = lowerWith(step, cut, false, products);
  if (cut.sums === null || readsByBlocks(kernel, cut)) return kernel;
  const whole = lowerWith(step, cut, true, products);
  return readsByBlocks(whole, cut) ? whole : kernel;
}

/** How a step is cut, but for what follows from the step itself. */
type BlockCut = Omit<SampleCut, "whole" | "keepsSpaces">;

function lowerWith(step: Group, cut: BlockCut, keepsSpaces: boolean, products: ProductVariant): Kernel {
  const { block } = cut;
  const kernel = lowerGroup(step, { ...cut, keepsSpaces, whole: new Set() }, products);
  const whole = new Set<number>();
  for (const { buffer, index } of kernel.nests.flatMap(accessesOf)) {
    if (buffer.kind !== "scratch") continue;
    const { perThread, sums } = kernel.scratch[buffer.index];
    if (perThread || sums !== undefined) continue;
    const elements = elementsOf(kernel.scratch[buffer.index]) / block.extent;
    if (!staysInBlock(index, block, elements)) whole.add(buffer.index);
  }
  return whole.size === 0 ? kernel : lowerGroup(step, { ...cut, keepsSpaces, whole }, products);
}

/** Whether all that holds samples is read block by block. */
function readsByBlocks({ nests }: Kernel, { block, samples, sums }: BlockCut): boolean {
  return nests.flatMap(accessesOf).every(({ buffer, index }) => {
    const elements = sums?.perSample(buffer);
    return elements === undefined || followsBlocks(index, block, elements * samples);
  });
}

/** How the steps of a run are cut: into blocks of samples, and the batch into parts that have sums of their own. */
export function cutOf({ batch, samples, sums = false }: SampleBlocks, sampled: ReadonlyMap<number, number>) {
  const block: Axis = { name: "block", extent: batch / samples };
  const perSample = (buffer: Buffer): number | undefined =>
    buffer.kind === "value" ? sampled.get(buffer.id) : undefined;
  return { block, samples, sums: sums ? { parts: largestDivisor(block.extent, mostParts), perSample } : null };
}

/** Parts of a batch that have sums of their own: as many as threads usually are. */
const mostParts = 4;

/** When the nests of a step run: before all blocks, for each block, or after all of them. */
export function stageOf(nest: Nest, { scratch }: Kernel, block: Axis): "before" | "inside" | "after" {
  if (dependsOnBlock(nest, block)) return "inside";
  const { read } = buffersOf(nest);
  return read.some((buffer) => buffer.kind === "scratch" && scratch[buffer.index].sums !== undefined)
    ? "after"
    : "before";
}

/** Numbers that a thread keeps for the samples of one block, from a step of the run to another. */
interface Region {
  readonly elements: number;
  readonly first: number;
  last: number;
  /** From where the thread's own scratch memory begins. */
  offset: number;
}

/** A scratch buffer of the run, by index; one for sums says how many there are for a part of the batch. */
interface Shared {
  readonly buffer: number;
  readonly sums?: number;
}

/** Where a scratch buffer of a step goes. */
type Place = Region | Shared;

/** What must be known to move a nest of a step into the run. */
interface Moving {
  /** By the index of the step's scratch buffers. */
  readonly places: readonly Place[];
  readonly stage: "before" | "inside" | "after";
  /** Elements of a thread's own scratch memory. */
  readonly elements: number;
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
  readonly #cut: ReturnType<typeof cutOf>;
  readonly #block: Axis;
  /** The storages that are needed beyond the run. */
  readonly #kept: ReadonlySet<number>;
  readonly #regions: Region[] = [];
  readonly #ofStorage = new Map<number, Region>();
  /** Counts the parts of a batch that have sums of their own, and the blocks of a part. */
  readonly #part: Axis;
  readonly #inPart: Axis;
  readonly #sums: (Shared & { readonly sums: number })[] = [];
  /** What is put together for all samples; before it comes the one buffer for what threads have of their own. */
  readonly #shared: Scratch[] = [];

  constructor({ name, writes }: Pick<Group, "name" | "writes">, run: BlockedRun, products: ProductVariant) {
    this.#name = name;
    this.#run = run;
    this.#products = products;
    this.#cut = cutOf(run, run.sampled);
    this.#block = this.#cut.block;
    const parts = this.#cut.sums?.parts ?? 1;
    this.#part = { name: "part", extent: parts };
    this.#inPart = { name: "block", extent: this.#block.extent / parts };
    this.#kept = new Set(writes.map(({ id }) => this.#storageOf(id)));
  }

  kernel(): Kernel {
    const lowered = this.#run.steps.map((step, position) => this.#lower(step, position));
    const elements = place(this.#regions);
    const nestsOf = (stage: "before" | "inside" | "after"): readonly Nest[] =>
      lowered.flatMap(({ kernel, places }) => {
        const own = kernel.nests.filter((nest) => stageOf(nest, kernel, this.#block) === stage);
        return own.map((nest) => this.#moved(nest, { places, stage, elements }));
      });
    const inside = nestsOf("inside");
    const around =
      this.#sums.length === 0
        ? looped(this.#name, [this.#block], true, inside)
        : looped(this.#name, [this.#part], true, [
            ...this.#sums.map((sums) => this.#zeros(sums)),
            looped(this.#name, [this.#inPart], false, inside),
          ]);
    return {
      name: this.#name,
      nests: [...nestsOf("before"), around, ...nestsOf("after")],
      scratch: [{ bytes: 4 * elements, perThread: true }, ...this.#shared],
    };
  }

  /** The loops of one step, and where each of its scratch buffers goes: a region, or the number of a shared buffer. */
  #lower(step: FusedStep, position: number) {
    const kernel = lowerForBlock(step, this.#cut, this.#products);
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
    const places = kernel.scratch.map((one, index): Place => {
      if (one.perThread) return this.#region(elementsOf(one), position);
      if (one.sums !== undefined) {
        const sums = { buffer: this.#shared.push(one), sums: one.sums };
        this.#sums.push(sums);
        return sums;
      }
      const own = ({ buffer }: Access): boolean => buffer.kind === "scratch" && buffer.index === index;
      const elements = elementsOf(one) / this.#block.extent;
      const inBlock = accesses.filter(own).every((access) => staysInBlock(access.index, this.#block, elements));
      return inBlock ? this.#region(elements, position) : { buffer: this.#shared.push(one) };
    });
    return { kernel, places };
  }

  #region(elements: number, position: number): Region {
    const region = { elements: roundUp(elements), first: position, last: position, offset: 0 };
    this.#regions.push(region);
    return region;
  }

  /** A nest of one step with its buffers, and its block, where the run has them. */
  #moved(nest: Nest, how: Moving): Nest {
    const { places, stage, elements } = how;
    const ofThread = (index: Affine, { offset }: Region): Affine => {
      const terms = index.terms.filter(({ axis }) => axis !== this.#block && axis !== threadAxis);
      return plus({ constant: index.constant, terms }, along(threadAxis, elements), at(offset));
    };
    const access = ({ buffer, index }: Access): Access => {
      const { dtype } = buffer;
      const to = buffer.kind === "value" ? this.#ofStorage.get(this.#storageOf(buffer.id)) : places[buffer.index];
      if (to === undefined) return { buffer, index: this.#inParts(index) };
      if ("offset" in to) return { buffer: ofThreads[dtype], index: ofThread(index, to) };
      const ofPart = to.sums !== undefined && stage === "inside" ? along(this.#part, to.sums) : at(0);
      return { buffer: { kind: "scratch", index: to.buffer, dtype }, index: plus(this.#inParts(index), ofPart) };
    };
    const values = rewrittenAll(
      nest.stores.map((store) => store.value),
      { index: (index) => this.#inParts(index), replace: (expression) => loadFrom(expression, access) },
    );
    return {
      ...nest,
      stores: nest.stores.map((store, position) => ({ ...store, ...access(store), value: values[position] })),
      inside: nest.inside?.map((inner) => this.#moved(inner, how)),
    };
  }

  /** An index by blocks as one by parts of the batch and by blocks of a part, where sums make parts. */
  #inParts(index: Affine): Affine {
    if (this.#sums.length === 0) return index;
    const block = plus(along(this.#part, this.#inPart.extent), along(this.#inPart));
    return substituted(index, new Map([[this.#block, block]]));
  }

  /** Sums of a part of the batch begin at zero. */
  #zeros({ buffer, sums }: Shared & { readonly sums: number }): Nest {
    const axis: Axis = { name: "i", extent: sums };
    const index = plus(along(axis), along(this.#part, sums));
    const sum: Buffer = { kind: "scratch", index: buffer, dtype: "float32" };
    return nestOver("zeros", [axis], [{ buffer: sum, index, value: constant(0) }]);
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

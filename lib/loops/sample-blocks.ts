import type { Value } from "../ir/index.ts";
import { bytesOf, elementCount } from "../tensor/index.ts";
import type { Axis } from "./affine.ts";
import { buffersOf, Dependencies, reductionsIn } from "./analysis.ts";
import type { Buffer } from "./buffer.ts";
import type { Reduction } from "./expression.ts";
import type { FusedStep, Ordered, SampleBlocks } from "./fused-step.ts";
import { cutOf, lowerForBlock, stageOf } from "./lower-run.ts";
import type { Kernel, Nest, Scratch } from "./nest.ts";
import { loopRule } from "./rules/index.ts";
import { accessesOf, followsBlocks, staysInBlock } from "./sample-access.ts";

/** A step by itself as it would be for one block of samples. */
interface Candidate {
  readonly step: FusedStep;
  /** Its loops for a block; null where samples are not apart in it. */
  readonly kernel: Kernel | null;
  /** Ids of what each block writes for its own samples; what else is written comes of sums. */
  readonly inBlocks: ReadonlySet<number>;
}

/**
 * Puts neighbouring steps that know each sample by itself together: for a few samples all of them run before any runs
 * for the next samples, so that what passes between them stays in a near cache, and is never there for the whole batch
 * if nobody else needs it. Every number is computed as it was. Cost: lowers each step once more.
 *
 * @param ordered a batch of its data inputs is made of the blocks; of one micro-batch, where there are several
 */
export function inSampleBlocks(ordered: Ordered, steps: readonly FusedStep[], blocks: SampleBlocks): FusedStep[] {
  const { batch, samples } = blocks;
  if (batch % samples !== 0) {
    throw new Error(`sample blocks: a batch must be whole blocks, got ${batch} samples in blocks of ${samples}`);
  }
  if (batch === samples) return [...steps];
  return new Runs(ordered, steps, blocks).steps();
}

/** How many rows at most are summed side by side. */
const rowsTogether = 4;

/**
 * Whether the order in which a nest adds up may depend on how many rows are side by side: the fewer there are, the more
 * sums are kept for each. In blocks of full tiles there are as many as in the batch.
 */
function isInterleaved({ vector, stores, inside = [] }: Nest): boolean {
  const dependencies = new Dependencies();
  const inLanes = (one: Reduction): boolean => vector !== null && dependencies.of(one).has(vector);
  const reductions = reductionsIn(stores.map(({ value }) => value));
  return reductions.some((one) => one.interleaved && !inLanes(one)) || inside.some(isInterleaved);
}

/** What is put together for a block's samples instead of for all of them. */
const isCopy = ({ perThread, sums }: Scratch): boolean => !perThread && sums === undefined;

const idOf = (buffer: Buffer): readonly number[] => (buffer.kind === "value" ? [buffer.id] : []);

class Runs {
  readonly #ordered: Ordered;
  readonly #steps: readonly FusedStep[];
  readonly #blocks: SampleBlocks;
  readonly #block: Axis;
  readonly #cut: ReturnType<typeof cutOf>;
  /** The value that a view shows, by the view's id. */
  readonly #sources = new Map<number, number>();
  /** Elements of one sample, by the id of a value that has samples along its first axis, or of a view of it. */
  readonly #sampled = new Map<number, number>();
  /** By storage: how many steps touch it; more where it comes from outside or goes there. */
  readonly #users = new Map<number, number>();

  constructor(ordered: Ordered, steps: readonly FusedStep[], blocks: SampleBlocks) {
    this.#ordered = ordered;
    this.#steps = steps;
    this.#blocks = blocks;
    this.#cut = cutOf(blocks, this.#sampled);
    this.#block = this.#cut.block;
    const { inputs, operations, outputs } = ordered.graph;
    for (const {
      operator,
      inputs: [x],
      outputs: [y],
    } of operations) {
      if (loopRule(operator).family === "view") this.#sources.set(y.id, this.#sourceOf(x.id));
    }
    for (const { value, role } of inputs) {
      const [samples] = value.type.shape;
      if (role === "data" && samples > 0) this.#holdsSamples(value.id, elementCount(value.type.shape) / samples);
    }
    for (const { value } of [...inputs, ...outputs])
      this.#users.set(this.#storageOf(value.id), Number.POSITIVE_INFINITY);
    for (const step of steps) {
      for (const storage of this.#storagesOf(step)) this.#users.set(storage, (this.#users.get(storage) ?? 0) + 1);
    }
  }

  steps(): FusedStep[] {
    const found: FusedStep[] = [];
    let run: Candidate[] = [];
    const close = (): void => {
      found.push(...this.#joined(run));
      run = [];
    };
    for (const step of this.#steps) {
      const candidate = this.#candidate(step);
      const joins = candidate.kernel !== null && run.every((other) => other.step.phase === step.phase);
      if (!joins || !this.#isSound([...run, candidate])) close();
      if (candidate.kernel === null) found.push(step);
      else run.push(candidate);
    }
    close();
    return found;
  }

  /** Whether samples are apart in a step: each block reads its own samples, and writes its own or adds to a sum. */
  #candidate(step: FusedStep): Candidate {
    const none = { step, kernel: null, inBlocks: new Set<number>() };
    const reads = step.reads.filter(({ id }) => this.#sampled.has(id));
    if (step.phase === "update" || reads.length === 0) return none;
    const kernel = lowerForBlock(step, this.#cut);
    const { samples } = this.#blocks;
    if (samples % rowsTogether !== 0 && this.#cut.sums === null && kernel.nests.some(isInterleaved)) return none;
    const inside = kernel.nests.filter((nest) => stageOf(nest, kernel, this.#block) === "inside");
    const inBlocks = new Set(inside.flatMap((nest) => buffersOf(nest).written.flatMap(idOf)));
    const written = new Map(step.writes.map((value) => [value.id, elementCount(value.type.shape)]));
    for (const { buffer, index } of kernel.nests.flatMap(accessesOf)) {
      if (buffer.kind === "scratch") continue;
      const elements = inBlocks.has(buffer.id) ? written.get(buffer.id) : undefined;
      if (elements !== undefined && !staysInBlock(index, this.#block, elements / this.#block.extent)) return none;
      const ofSample = this.#sampled.get(buffer.id);
      if (ofSample !== undefined && !followsBlocks(index, this.#block, ofSample * samples)) return none;
    }
    // What is written otherwise must come of sums.
    const finished = kernel.nests.filter((nest) => stageOf(nest, kernel, this.#block) === "after");
    const ofSums = new Set(finished.flatMap((nest) => buffersOf(nest).written.flatMap(idOf)));
    if (step.writes.some(({ id }) => !inBlocks.has(id) && !ofSums.has(id))) return none;
    for (const { id, type } of step.writes) {
      if (inBlocks.has(id)) this.#holdsSamples(id, elementCount(type.shape) / this.#blocks.batch);
    }
    return this.#paysToRepeat(step, reads, inBlocks) ? { step, kernel, inBlocks } : none;
  }

  /** Weights and sums are gone through once a block: that must not be more than the block itself. */
  #paysToRepeat({ reads, writes }: FusedStep, sampled: readonly Value[], inBlocks: ReadonlySet<number>): boolean {
    const bytes = (values: readonly Value[]): number => values.reduce((sum, { type }) => sum + bytesOf(type), 0);
    const all = bytes(reads) + bytes(writes);
    const ofSamples = bytes(sampled) + bytes(writes.filter(({ id }) => inBlocks.has(id)));
    return all - ofSamples <= ofSamples / this.#block.extent;
  }

  /**
   * Whether each block, in all steps together, sees of what they write nothing but its own samples; and no step what
   * comes of an earlier one's sums, which is there only after all blocks.
   */
  #isSound(run: readonly Candidate[]): boolean {
    const elements = new Map<number, number>();
    const late = new Set<number>();
    for (const { step, inBlocks } of run) {
      for (const { id, type } of step.writes) {
        if (inBlocks.has(id)) elements.set(this.#storageOf(id), elementCount(type.shape) / this.#block.extent);
      }
    }
    return run.every(({ kernel, step, inBlocks }) => {
      const nests = (kernel as Kernel).nests;
      const sound = nests.every((nest) => {
        const after = stageOf(nest, kernel as Kernel, this.#block) === "after";
        return accessesOf(nest).every(({ buffer, index }) => {
          if (buffer.kind === "scratch") return true;
          const storage = this.#storageOf(buffer.id);
          const own = elements.get(storage);
          return (after || !late.has(storage)) && (own === undefined || staysInBlock(index, this.#block, own));
        });
      });
      for (const { id } of step.writes) if (!inBlocks.has(id)) late.add(this.#storageOf(id));
      return sound;
    });
  }

  /** A run as one step; the steps as they were where there is nothing to gain. */
  #joined(run: readonly Candidate[]): readonly FusedStep[] {
    const steps = run.map(({ step }) => step);
    const copies = run.some(({ kernel }) => (kernel as Kernel).scratch.some(isCopy));
    if (steps.length === 0 || (steps.length === 1 && !copies)) return steps;
    const inRun = new Map<number, number>();
    for (const storage of steps.flatMap((step) => [...this.#storagesOf(step)])) {
      inRun.set(storage, (inRun.get(storage) ?? 0) + 1);
    }
    const inBlocks = new Set(run.flatMap((candidate) => [...candidate.inBlocks]));
    const local = (value: Value): boolean => {
      const storage = this.#storageOf(value.id);
      return inBlocks.has(value.id) && inRun.get(storage) === this.#users.get(storage);
    };
    const made = new Set(steps.flatMap(({ writes }) => writes.map(({ id }) => id)));
    const reads = steps.flatMap((step) => step.reads).filter(({ id }) => !made.has(this.#sourceOf(id)));
    const [first, last] = [steps[0], steps[steps.length - 1]];
    return [
      {
        name: steps.map(({ name }) => name).join("; "),
        phase: first.phase,
        layer: first.layer === last.layer ? first.layer : `${first.layer} … ${last.layer}`,
        operations: [...new Set(steps.flatMap(({ operations }) => operations))],
        reads: [...new Map(reads.map((value) => [value.id, value])).values()],
        writes: steps.flatMap((step) => step.writes).filter((value) => !local(value)),
        run: { ...this.#blocks, steps, sampled: this.#sampled, storage: this.#ordered.storage },
      },
    ];
  }

  #holdsSamples(id: number, elements: number): void {
    this.#sampled.set(id, elements);
    for (const [view, source] of this.#sources) if (source === id) this.#sampled.set(view, elements);
  }

  #storagesOf({ reads, writes }: FusedStep): ReadonlySet<number> {
    return new Set([...reads, ...writes].map(({ id }) => this.#storageOf(id)));
  }

  #storageOf(id: number): number {
    return this.#ordered.storage.get(id) ?? id;
  }

  #sourceOf(id: number): number {
    return this.#sources.get(id) ?? id;
  }
}

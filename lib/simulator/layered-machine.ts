import { isSharedView, type Schedule, storageOf } from "../compiler/index.ts";
import type { Operation, Value } from "../ir/index.ts";
import { type OperatorName, operatorTable } from "../ops/index.ts";
import { bytesOf, elementCount } from "../tensor/index.ts";
import { byteJoules, type Energy, operationJoules } from "./energy.ts";

/** Whether numbers take four bytes or two. */
export type Precision = "single" | "half";

/** A machine that takes a network layer by layer, with a large memory apart from its arithmetic. */
export interface LayeredMachine {
  readonly name: string;
  /** Operations a second at best, by the bytes of their numbers. */
  readonly flopsPerSecond: Readonly<Record<Precision, number>>;
  /** Results that have to be computed at once for all arithmetic to be busy: lanes, times how many each has in flight. */
  readonly width: number;
  readonly memoryBytesPerSecond: number;
  /** Bytes beside the arithmetic: registers, scratch memories and caches. */
  readonly localBytes: number;
  /** Seconds before an operation begins. */
  readonly startSeconds: number;
  /** Whether a convolution first writes its windows out as a matrix. */
  readonly writesWindows: boolean;
  /** Joules of a byte across the memory interface. */
  readonly memoryByteJoules: number;
}

/** Machines to compare tiles with: like one, not one. Rates are those of data sheets, which no network reaches. */
export const machines = {
  /**
   * Like NVIDIA's V100 (whitepaper, 2017): 5,120 lanes at 1.53 GHz, four results in flight in each; 15.7 and, on matrix
   * units, 125 TFLOP/s; 900 GB/s of HBM2; 20 MiB of registers, 10 MiB of scratch memory and 6 MiB of cache.
   */
  gpu: {
    name: "GPU-like",
    flopsPerSecond: { single: 15.7e12, half: 125e12 },
    width: 5120 * 4,
    memoryBytesPerSecond: 900e9,
    localBytes: 36 * 2 ** 20,
    startSeconds: 5e-6,
    writesWindows: true,
    memoryByteJoules: byteJoules.hbm,
  },
  /**
   * Like Intel's Xeon Platinum 8168 (2017): 24 cores of two 512-bit units at 2.5 GHz with such instructions, 3.84 TFLOP/s
   * and no more in half precision, which it only stores; six channels of DDR4-2666; 24 MiB and 33 MiB of caches.
   */
  cpu: {
    name: "CPU-like",
    flopsPerSecond: { single: 3.84e12, half: 3.84e12 },
    width: 24 * 32 * 4,
    memoryBytesPerSecond: 128e9,
    localBytes: 57 * 2 ** 20,
    startSeconds: 1e-6,
    writesWindows: true,
    memoryByteJoules: byteJoules.dram,
  },
} as const satisfies Readonly<Record<string, LayeredMachine>>;

/** What a network takes on a machine; the same for machines of tiles and of layers. */
export interface MachineReport {
  readonly kind: "machine";
  readonly machine: string;
  readonly network: string;
  readonly precision: Precision;
  readonly seconds: number;
  readonly flops: number;
  readonly energy: Energy;
  /** Bytes that cross the memory interface, in and out. */
  readonly interfaceBytes: number;
  /** Bytes that all memory beside the arithmetic has. */
  readonly localBytes: number;
  /** Bytes that it would need for nothing to be spilled and loaded again. */
  readonly localBytesNeeded: number;
  /** Steps of the machine: operations, or supersteps. */
  readonly steps: number;
}

/** Bytes of the windows of a convolution written out as a matrix. */
function windowBytes({ operator, inputs, outputs }: Operation): number {
  if (!operator.startsWith("convolution2d")) return 0;
  const weights = operator === "convolution2dWeightGradient" ? outputs[0] : inputs[1];
  const maps =
    operator === "convolution2dInputGradient" ? inputs[0] : operator === "convolution2d" ? outputs[0] : inputs[1];
  const [, channels, ...kernel] = weights.type.shape;
  if (elementCount(kernel) === 1) return 0;
  const [samples, , ...size] = maps.type.shape;
  return samples * elementCount(size) * channels * elementCount(kernel) * 4;
}

/** Memory beside the arithmetic, which keeps what was used last: whole tensors, as they are used whole. */
class LocalMemory {
  readonly #capacity: number;
  // In the order of their last use; `changed` ones have to be written to memory before they are given up.
  readonly #held = new Map<number, { readonly bytes: number; changed: boolean }>();
  #used = 0;
  interfaceBytes = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  read(storage: number, bytes: number): void {
    if (!this.#held.has(storage)) this.interfaceBytes += bytes;
    this.#keep(storage, bytes, this.#held.get(storage)?.changed ?? false);
  }

  write(storage: number, bytes: number): void {
    this.#keep(storage, bytes, true);
  }

  /** Gives up what is not wanted any more, without writing it. */
  drop(storage: number): void {
    const held = this.#held.get(storage);
    if (held === undefined) return;
    this.#held.delete(storage);
    this.#used -= held.bytes;
  }

  /** What is read for the last time need not be written when it has to make room. */
  readLast(storage: number): void {
    const held = this.#held.get(storage);
    if (held !== undefined) held.changed = false;
  }

  /** Writes what has changed, as what is read later than here is read from memory. */
  flush(): void {
    for (const { bytes, changed } of this.#held.values()) if (changed) this.interfaceBytes += bytes;
  }

  #keep(storage: number, bytes: number, changed: boolean): void {
    this.drop(storage);
    if (bytes > this.#capacity) {
      // It streams through: what is written goes out, and what is read is gone again.
      if (changed) this.interfaceBytes += bytes;
      return;
    }
    this.#held.set(storage, { bytes, changed });
    this.#used += bytes;
    for (const [other, held] of this.#held) {
      if (this.#used <= this.#capacity) break;
      if (held.changed) this.interfaceBytes += held.bytes;
      this.#held.delete(other);
      this.#used -= held.bytes;
    }
  }
}

/**
 * Walks a schedule layer by layer: an operation takes the longer of its arithmetic and of what it moves over the memory
 * interface. What was used last stays beside the arithmetic as far as it fits; the rest is spilled and loaded again.
 */
export function runLayered(
  schedule: Schedule,
  machine: LayeredMachine,
  precision: Precision = "single",
): MachineReport {
  const { graph } = schedule;
  const scale = precision === "half" ? 0.5 : 1;
  const bytesIn = ({ type }: Value): number => bytesOf(type) * scale;
  const rootOf = ({ id }: Value): number => storageOf(schedule, id);
  const operations = graph.operations.filter((operation) => !isSharedView(schedule, operation));
  const lastUse = new Map<number, number>();
  for (const [index, { inputs, outputs }] of operations.entries()) {
    for (const value of [...inputs, ...outputs]) lastUse.set(rootOf(value), index);
  }
  const kept = new Set([...graph.outputs, ...graph.inputs].map(({ value }) => rootOf(value)));
  const sizes = new Map<number, number>();
  for (const { inputs, outputs } of operations) {
    for (const value of [...inputs, ...outputs])
      sizes.set(rootOf(value), Math.max(sizes.get(rootOf(value)) ?? 0, bytesIn(value)));
  }
  const sizeOf = (storage: number): number => sizes.get(storage) as number;
  const memory = new LocalMemory(machine.localBytes);
  let [seconds, flops, localMoved, interfaceBytes, alive, needed] = [0, 0, 0, 0, 0, 0];
  const present = new Set<number>();
  const enter = (storage: number): void => {
    if (present.has(storage)) return;
    present.add(storage);
    alive += sizeOf(storage);
  };
  for (const { value } of graph.inputs) if (sizes.has(rootOf(value))) enter(rootOf(value));
  for (const [index, operation] of operations.entries()) {
    const { operator, inputs, outputs, attributes } = operation;
    const cost = operatorTable[operator as OperatorName].cost(
      inputs.map(({ type }) => type),
      outputs.map(({ type }) => type),
      attributes,
    );
    const before = memory.interfaceBytes;
    for (const value of inputs) memory.read(rootOf(value), sizeOf(rootOf(value)));
    for (const value of inputs) {
      const storage = rootOf(value);
      if (lastUse.get(storage) === index && !kept.has(storage)) memory.readLast(storage);
    }
    const windows = machine.writesWindows ? windowBytes(operation) * scale : 0;
    // The matrix of windows is written and read once; it stays beside the arithmetic if there is room for it.
    if (windows > machine.localBytes) memory.interfaceBytes += 2 * windows;
    for (const value of outputs) {
      memory.write(rootOf(value), sizeOf(rootOf(value)));
      enter(rootOf(value));
    }
    needed = Math.max(needed, alive + windows);
    for (const value of [...inputs, ...outputs]) {
      const storage = rootOf(value);
      if (lastUse.get(storage) !== index || kept.has(storage) || !present.has(storage)) continue;
      memory.drop(storage);
      present.delete(storage);
      alive -= sizeOf(storage);
    }
    const results = outputs.reduce((sum, { type }) => sum + elementCount(type.shape), 0);
    // What does not fill the machine leaves a part of it idle; of the last round, too.
    const busy = results / (Math.ceil(results / machine.width) * machine.width || 1);
    const moved = memory.interfaceBytes - before;
    const arithmetic = results === 0 ? 0 : cost.flops / (machine.flopsPerSecond[precision] * busy);
    seconds += machine.startSeconds + Math.max(arithmetic, moved / machine.memoryBytesPerSecond);
    flops += cost.flops;
    localMoved += cost.bytes * scale + 2 * windows;
  }
  memory.flush();
  interfaceBytes = memory.interfaceBytes;
  return {
    kind: "machine",
    machine: machine.name,
    network: graph.name,
    precision,
    seconds,
    flops,
    energy: {
      arithmetic: flops * operationJoules[precision],
      local: localMoved * byteJoules.cache,
      exchange: 0,
      memory: interfaceBytes * machine.memoryByteJoules,
    },
    interfaceBytes,
    localBytes: machine.localBytes,
    localBytesNeeded: needed,
    steps: operations.length,
  };
}

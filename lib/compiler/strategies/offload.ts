import type { Operation, OperatorGraph, Value } from "../../ir/index.ts";
import { type OperatorName, operatorTable } from "../../ops/index.ts";
import { bytesOf } from "../../tensor/index.ts";
import { GraphEditor } from "../rematerialisation/graph-editor.ts";
import { heavyOperations, type SavedValue, savedValues } from "../rematerialisation/saved-values.ts";
import { isView, type Tape } from "../rematerialisation/tape.ts";
import { formatAmount } from "./format.ts";
import { type MemoryStrategy, type PlanContext, sameBits } from "./strategy.ts";

/** A device with memory of its own and a link to the host's, as far as time is planned: peak rates, never reached. */
export interface LinkedDevice {
  readonly flopsPerSecond: number;
  /** Of the device's memory. */
  readonly bytesPerSecond: number;
  /** Of the link, each way. */
  readonly linkBytesPerSecond: number;
}

/**
 * The machine of Rhu et al. 2016: an NVIDIA Titan X (Maxwell), which its maker announced with 7 TFLOP/s in single precision
 * and 336.5 GB/s of memory, on PCI Express 3 with 16 lanes.
 */
export const titanX: LinkedDevice = { flopsPerSecond: 7e12, bytesPerSecond: 336e9, linkBytesPerSecond: 16e9 };

/** Settings of offloading. */
export interface OffloadOptions {
  /** Bytes of the device's arena that the step must fit, with as few moves as do; every saved value moves unless told. */
  readonly bytes?: number;
  /** On what time is planned; the machine of Rhu et al. 2016 unless told. */
  readonly device?: Partial<LinkedDevice>;
  /**
   * Products or convolutions during which a move may go on: what comes back is asked for so many before it is needed.
   * More hide slower links, and take more memory. 1 unless told.
   */
  readonly ahead?: number;
}

/**
 * Moves saved activations to the host's memory when the forward pass has used them, and back a little before the backward
 * pass does (Rhu et al., "vDNN: virtualized deep neural networks", 2016). Nothing is computed again and nothing changes;
 * what it costs is waiting for the link. A move takes the device's bytes as long as it would while computing goes on: what
 * leaves is there until the move must be over, what comes is there from where it begins.
 */
export function offload({ bytes, device, ahead = 1 }: OffloadOptions = {}): MemoryStrategy {
  const machine = { ...titanX, ...device };
  for (const [name, value] of Object.entries({ ...machine, ahead })) {
    if (!(value > 0)) throw new Error(`offload: ${name} must be above 0, got ${value}; leave it out or give a rate`);
  }
  return {
    name: "offload",
    summary: "moves saved activations to the host's memory and back before they are needed",
    storage: "reused",
    results: sameBits,
    plan(context) {
      const { tape } = context;
      const saved = movable(tape, ahead);
      const chosen = bytes === undefined ? saved : fewest(context, saved, bytes);
      const graph = withMoves(tape, chosen);
      const { seconds, waiting } = planTime(graph, machine);
      const moved = chosen.reduce((sum, value) => sum + value.bytes, 0);
      const link = `${(machine.linkBytesPerSecond / 1e9).toLocaleString("en")} GB/s`;
      return {
        graph,
        seconds,
        reason:
          `${chosen.length} of ${saved.length} saved values, ${formatAmount(moved)}, move to the host and back: ` +
          `planned ${milliseconds(seconds)} a step, of which ${milliseconds(waiting)} wait for a link of ${link}.`,
      };
    },
  };
}

/** A saved value with the places of its moves: it has left after one operation, and comes back before others. */
interface Movable extends SavedValue {
  readonly leaves: number;
  readonly returns: readonly Return[];
}

/** A stretch of the backward pass for which a value comes back. */
interface Return {
  readonly before: number;
  readonly readers: readonly number[];
}

/** Saved values between whose uses there is time, those that lie about longest first. */
function movable(tape: Tape, ahead: number): readonly Movable[] {
  const heavy = heavyOperations(tape);
  const found: Movable[] = [];
  for (const value of savedValues(tape)) {
    const { lastForward, readers } = value;
    let leaves = lastForward;
    while (leaves < readers[0] && heavy[leaves + 1] - heavy[lastForward + 1] < ahead - 1) leaves++;
    const beginning = (reader: number): number => {
      let before = reader;
      while (before > leaves + 1 && heavy[reader] - heavy[before] < ahead) before--;
      return before;
    };
    const returns: Return[] = [];
    for (const reader of readers) {
      const last = returns.at(-1);
      const previous = last?.readers.at(-1);
      // What would leave and come back at once stays.
      const isNear = previous !== undefined && heavy[reader] - heavy[previous + 1] <= 2 * ahead;
      if (isNear) returns[returns.length - 1] = { ...(last as Return), readers: [...(last as Return).readers, reader] };
      else returns.push({ before: beginning(reader), readers: [reader] });
    }
    if (returns[0].before > leaves + 1) found.push({ ...value, leaves, returns });
  }
  const idle = ({ leaves, returns }: Movable): number => returns[0].before - leaves;
  return found.sort((a, b) => idle(b) - idle(a));
}

/** As few of some values as fit a budget when they move, those first that come first. */
function fewest(context: PlanContext, saved: readonly Movable[], bytes: number): readonly Movable[] {
  const take = (count: number): number => context.plan(withMoves(context.tape, saved.slice(0, count))).arenaBytes;
  const least = take(saved.length);
  if (least > bytes) {
    throw new Error(
      `memory: the budget must hold the smallest plan, got ${formatAmount(bytes)} for at least ${formatAmount(least)} ` +
        "with every saved value on the host; raise the budget or lower the batch",
    );
  }
  let [low, high] = [0, saved.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (take(middle) <= bytes) high = middle;
    else low = middle + 1;
  }
  return saved.slice(0, high);
}

function withMoves({ graph, root }: Tape, moving: readonly Movable[]): OperatorGraph {
  const leaving = new Map<number, Movable[]>();
  const returning = new Map<number, { readonly from: Movable; readonly readers: readonly number[] }[]>();
  const add = <T>(map: Map<number, T[]>, position: number, item: T): void => {
    map.set(position, [...(map.get(position) ?? []), item]);
  };
  for (const value of moving) {
    add(leaving, value.leaves, value);
    for (const { before, readers } of value.returns) add(returning, before, { from: value, readers });
  }
  const editor = new GraphEditor(graph);
  const onHost = new Map<number, Value>();
  /** By position of a reader and id of a value: what has come back for it. */
  const back = new Map<string, Value>();
  for (const [position, operation] of graph.operations.entries()) {
    for (const { from, readers } of returning.get(position) ?? []) {
      editor.enter("backward", from.layer);
      const returned = editor.apply("move", [onHost.get(from.value.id) as Value], { to: "device" });
      for (const reader of readers) back.set(`${reader} ${from.value.id}`, returned);
    }
    const inputs = operation.inputs.map((input) => {
      const returned = back.get(`${position} ${root[input.id]}`);
      if (returned === undefined) return input;
      editor.enter(operation.phase, operation.layer);
      return root[input.id] === input.id ? returned : editor.apply("reshape", [returned], { shape: input.type.shape });
    });
    editor.keep(operation, inputs);
    for (const { value, layer } of leaving.get(position) ?? []) {
      editor.enter("forward", layer);
      onHost.set(value.id, editor.apply("move", [value], { to: "host" }));
    }
  }
  return editor.graph();
}

/**
 * Time of a step by rooflines: each operation takes as long as its arithmetic or its bytes, the longer of both; moves go
 * on beside, one after the other each way. Who must wait for one waits.
 */
export function planTime(
  { operations }: OperatorGraph,
  { flopsPerSecond, bytesPerSecond, linkBytesPerSecond }: LinkedDevice,
): { readonly seconds: number; readonly waiting: number } {
  const ready = new Map<number, number>();
  let [now, waiting, outFree, inFree] = [0, 0, 0, 0];
  const waitFor = (time: number): void => {
    if (time <= now) return;
    waiting += time - now;
    now = time;
  };
  for (const operation of operations) {
    const { operator, inputs, outputs, attributes } = operation;
    if (operator === "move") {
      const [from] = inputs;
      const link = bytesOf(from.type) / linkBytesPerSecond;
      if (attributes.to === "host") {
        outFree = Math.max(outFree, ready.get(from.id) ?? 0) + link;
        ready.set(outputs[0].id, outFree);
        waitFor(outFree);
      } else {
        inFree = Math.max(inFree, now, ready.get(from.id) ?? 0) + link;
        ready.set(outputs[0].id, inFree);
      }
      continue;
    }
    for (const { id } of inputs) waitFor(ready.get(id) ?? 0);
    const { flops, bytes } = costOf(operation);
    if (!isView(operation)) now += Math.max(flops / flopsPerSecond, bytes / bytesPerSecond);
    for (const { id } of outputs) ready.set(id, now);
  }
  return { seconds: now, waiting };
}

/** Seconds of a step by rooflines on the device that offloading plans for unless told: what `planTime` says. */
export function rooflineSeconds(graph: OperatorGraph): number {
  return planTime(graph, titanX).seconds;
}

function costOf({ operator, inputs, outputs, attributes }: Operation) {
  const types = (values: readonly Value[]) => values.map(({ type }) => type);
  return operatorTable[operator as OperatorName].cost(types(inputs), types(outputs), attributes);
}

function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toPrecision(3)} ms`;
}

import { type Schedule, storageOf } from "../compiler/index.ts";
import type { Phase, Value } from "../ir/index.ts";
import {
  type BufferLabel,
  bestGreedyPlan,
  type MemoryCategory,
  type MemoryProblem,
  memoryReport,
  type TensorBuffer,
} from "../memory/index.ts";
import { bytesOf, formatType } from "../tensor/index.ts";
import { alignment, type CompiledProgram, hostOffset, type Step } from "./program.ts";

/** Everything that shares one place in the arena. */
interface Storage {
  readonly values: Value[];
  bytes: number;
  start: number;
  end: number;
  category: MemoryCategory;
  name: string;
  layer: string;
  type: string;
}

/**
 * Computes when each storage is alive and where in one arena it lies.
 *
 * Parameters, states and hyperparameters live always; data lives from before the first step, when it is fed, to its last
 * use; outputs live to the end. Cost: linear in steps and values, and the solver's.
 */
export function planProgram(schedule: Schedule, steps: readonly Step[]): CompiledProgram {
  const storages = collectStorages(schedule, steps);
  const onHost = valuesOnHost(schedule);
  const isOnHost = (storage: Storage): boolean => storage.values.some(({ id }) => onHost.has(id));
  const buffers: TensorBuffer[] = [];
  const labels: Omit<BufferLabel, "offset">[] = [];
  const add = (label: Omit<BufferLabel, "offset">): number => {
    const { bytes: size, start, end } = label;
    buffers.push({ id: buffers.length, size, alignment, start, end });
    labels.push(label);
    return buffers.length - 1;
  };
  const position = new Map<Storage, number>();
  const hostStorages: Storage[] = [];
  for (const storage of storages.values()) {
    const { name, layer, category, type, bytes, start, end } = storage;
    if (isOnHost(storage)) hostStorages.push(storage);
    else position.set(storage, add({ name, layer, category, type, bytes, start, end }));
  }
  const scratch = steps.map(({ scratchBytes, name, layer }, step) =>
    scratchBytes.map((bytes) =>
      add({
        name: `scratch of ${name}`,
        layer,
        category: "workspace",
        type: "bytes",
        bytes,
        start: step,
        end: step + 1,
      }),
    ),
  );
  const problem: MemoryProblem = { buffers };
  const plan = bestGreedyPlan(problem);
  const offsets = new Map<number, number>();
  for (const [storage, index] of position) {
    for (const value of storage.values) offsets.set(value.id, plan.offsets[index]);
  }
  const host = planHost(hostStorages);
  // The host's memory is not the device's: it lies behind the arena and is not counted in it.
  const behind = hostOffset(plan.height);
  for (const [index, storage] of hostStorages.entries()) {
    for (const value of storage.values) offsets.set(value.id, behind + host.plan.offsets[index]);
  }
  const positions = new Map(schedule.graph.operations.map((operation, index) => [operation, index]));
  const report = memoryReport(
    schedule.graph.name,
    steps.map(({ name, phase, layer, operations }) => ({
      name,
      phase,
      layer,
      operations: operations.map((operation) => positions.get(operation) as number),
    })),
    labels.map((label, index) => ({ ...label, offset: plan.offsets[index] })),
    plan.height,
  );
  const scratchOffsets = scratch.map((indices) => indices.map((index) => plan.offsets[index]));
  const { strategy } = schedule;
  const told = {
    ...report,
    ...(host.plan.height === 0 ? {} : { hostBytes: host.plan.height }),
    ...(strategy === undefined ? {} : { strategy }),
  };
  return { schedule, steps, offsets, scratchOffsets, arenaBytes: plan.height, host, problem, plan, report: told };
}

/** Ids of what moves have put into the host's memory. */
function valuesOnHost({ graph }: Schedule): ReadonlySet<number> {
  const moves = graph.operations.filter(({ operator, attributes }) => operator === "move" && attributes.to === "host");
  return new Set(moves.flatMap(({ outputs }) => outputs.map(({ id }) => id)));
}

function planHost(storages: readonly Storage[]): CompiledProgram["host"] {
  const buffers = storages.map(
    ({ bytes: size, start, end }, id): TensorBuffer => ({ id, size, alignment, start, end }),
  );
  return { problem: { buffers }, plan: bestGreedyPlan({ buffers }) };
}

function collectStorages(schedule: Schedule, steps: readonly Step[]): Map<number, Storage> {
  const storages = new Map<number, Storage>();
  const enter = (value: Value, start: number): Storage => {
    const root = storageOf(schedule, value.id);
    const known = storages.get(root);
    if (known !== undefined) {
      if (!known.values.includes(value)) known.values.push(value);
      return known;
    }
    const storage: Storage = {
      values: [value],
      bytes: bytesOf(value.type),
      start,
      end: start,
      category: "workspace",
      name: `%${value.id}`,
      layer: "",
      type: formatType(value.type),
    };
    storages.set(root, storage);
    return storage;
  };

  // Even a program without steps has inputs and outputs that must not lie on top of each other.
  const end = Math.max(1, steps.length);
  for (const { value, name, role } of schedule.graph.inputs) {
    const storage = enter(value, 0);
    storage.name = name;
    storage.category = role === "parameter" ? "weights" : role === "state" ? "optimizer" : "inputs";
    storage.end = role === "data" ? 1 : end;
  }
  const inputs = new Set(storages.values());
  const phases = usePhases(schedule, steps);
  for (const [position, step] of steps.entries()) {
    for (const value of step.reads) {
      const storage = storages.get(storageOf(schedule, value.id));
      if (storage === undefined) throw new Error(`internal: ${step.name} reads %${value.id} before it is written`);
      storage.end = Math.max(storage.end, position + 1);
    }
    for (const value of step.writes) {
      const storage = enter(value, position);
      storage.end = Math.max(storage.end, position + 1);
      // What an update makes of a gradient in the gradient's place is still shown as the gradient.
      if (inputs.has(storage) || (step.phase === "update" && storage.category === "gradients")) continue;
      const last = step.operations.find((operation) => operation.outputs.includes(value));
      const phase = last?.recomputed ? "forward" : step.phase;
      storage.name = `${step.layer === "" ? "" : `${step.layer}.`}${last?.operator ?? step.name}`;
      storage.layer = step.layer;
      storage.type = formatType(value.type);
      storage.category = categoryOf(storage.category, phase, phases.get(value.id));
    }
  }
  for (const { value } of schedule.graph.outputs) {
    const storage = storages.get(storageOf(schedule, value.id));
    if (storage === undefined) throw new Error(`internal: output %${value.id} is never written`);
    storage.end = end;
  }
  if (schedule.apart) for (const storage of storages.values()) storage.end = end;
  // Views are never written, but who asks where they are must find them.
  for (const { outputs } of schedule.graph.operations) {
    for (const value of outputs) {
      const storage = storages.get(storageOf(schedule, value.id));
      if (storage !== undefined && !storage.values.includes(value)) storage.values.push(value);
    }
  }
  return storages;
}

/** For each value, whether the backward pass reads it. Reads of a view are reads of what it shows. */
function usePhases(schedule: Schedule, steps: readonly Step[]): Map<number, boolean> {
  const saved = new Map<number, boolean>();
  const shown = new Map<number, number>();
  for (const { inputs, outputs } of schedule.graph.operations) {
    if (outputs.length === 1 && inputs.length > 0 && sharesBytes(schedule, inputs[0], outputs[0])) {
      shown.set(outputs[0].id, inputs[0].id);
    }
  }
  for (const { phase, reads } of steps) {
    if (phase === "forward") continue;
    for (const value of reads) {
      for (let id: number | undefined = value.id; id !== undefined; id = shown.get(id)) saved.set(id, true);
    }
  }
  return saved;
}

function sharesBytes(schedule: Schedule, a: Value, b: Value): boolean {
  return storageOf(schedule, a.id) === storageOf(schedule, b.id);
}

/** A storage that serves two purposes in turn counts as the one that makes it live longest. */
function categoryOf(before: MemoryCategory, phase: Phase, readByBackward: boolean | undefined): MemoryCategory {
  if (before === "activations") return before;
  if (phase === "forward") return readByBackward ? "activations" : before;
  return phase === "backward" ? "gradients" : before;
}

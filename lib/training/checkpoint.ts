import {
  encodeSafetensors,
  parseSafetensors,
  readFileIfThere,
  type Safetensors,
  writeFileAtomically,
} from "../formats/index.ts";
import type { DataOf, HostTensor } from "../tensor/index.ts";
import type { Carried } from "./executions.ts";
import type { EpochRecord } from "./history.ts";

/** Where training leaves what it needs to go on. */
export interface CheckpointOptions {
  /** Written as a whole or not at all; what was there is replaced. */
  readonly file: string;
  /** Steps between two writings; 1,000 unless told otherwise. It is also written at the end and when interrupted. */
  readonly every?: number;
  /** Whether to go on from the file if it is there; false unless told otherwise. */
  readonly resume?: boolean;
}

/** What must be the same for training to go on as if nothing had happened. */
export type Identity = Readonly<Record<string, string | number | boolean | null>>;

/** Everything about a training run that is not in its options: how far it is, and all that it carries. */
export interface FitState {
  /** The epoch that is being trained, from 1. */
  readonly epoch: number;
  /** Samples of this epoch that have been used. */
  readonly done: number;
  /** Samples of all epochs before it. */
  readonly before: number;
  /** The sum of this epoch's losses so far. */
  readonly total: number;
  /** Seconds of training of this epoch so far. */
  readonly seconds: number;
  readonly samplesPerEpoch: number | null;
  readonly records: readonly EpochRecord[];
  readonly stepLosses: readonly number[];
  readonly lossScale: readonly [number, number, number] | null;
  readonly weights: Carried;
  /** The weights of the best epoch; null unless early stopping needs them. */
  readonly best: Carried | null;
}

const key = "tessera.fit";
const version = 1;

type Position = Omit<FitState, "stepLosses" | "weights" | "best">;

/** Writes how far a run is. */
export async function writeCheckpoint(file: string, identity: Identity, state: FitState): Promise<void> {
  const { stepLosses, weights, best, ...position } = state;
  const tensors = new Map<string, HostTensor>();
  tensors.set("stepLosses", asTensor(Float64Array.from(stepLosses)));
  for (const [name, data] of weights) tensors.set(`now/${name}`, asTensor(data));
  for (const [name, data] of best ?? []) tensors.set(`best/${name}`, asTensor(data));
  const metadata = new Map([[key, JSON.stringify({ version, identity, position })]]);
  await writeFileAtomically(file, encodeSafetensors(tensors, metadata));
}

/**
 * Reads how far a run was.
 *
 * @param expected the arrays that the program carries now, by name
 * @returns null if there is no such file
 * @throws Error naming the file if it is damaged or belongs to another run
 */
export async function readCheckpoint(file: string, identity: Identity, expected: Carried): Promise<FitState | null> {
  const bytes = await readFileIfThere(file);
  if (bytes === null) return null;
  const fail = (rule: string, got: string): never => {
    throw new Error(`fit: ${rule}, got ${got} (${file}); give another file, or { resume: false } to begin anew`);
  };
  const { tensors, metadata } = parseSafetensors(bytes, file);
  const text = metadata.get(key) ?? fail("a checkpoint must have been written by fit", "a file without its note");
  const stored = parseNote(text) ?? fail("a checkpoint's note must be JSON", JSON.stringify(text));
  if (stored.version !== version) fail(`a checkpoint must have version ${version}`, String(stored.version));
  for (const name of new Set([...Object.keys(identity), ...Object.keys(stored.identity)])) {
    const [was, is] = [stored.identity[name], identity[name]];
    if (was !== is) fail(`a checkpoint must belong to the same run: ${name} must be ${String(is)}`, String(was));
  }
  const best = readCarried("best/", tensors, expected, fail);
  return {
    ...stored.position,
    stepLosses: [
      ...((tensors.get("stepLosses")?.data as Float64Array | undefined) ?? fail("there must be losses", "none")),
    ],
    weights: readCarried("now/", tensors, expected, fail) ?? fail("there must be weights", "none"),
    best,
  };
}

function parseNote(text: string): { version: number; identity: Identity; position: Position } | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function readCarried(
  prefix: string,
  tensors: Safetensors["tensors"],
  expected: Carried,
  fail: (rule: string, got: string) => never,
): Carried | null {
  const found = [...tensors].filter(([name]) => name.startsWith(prefix));
  if (found.length === 0) return null;
  const carried = new Map(found.map(([name, { data }]) => [name.slice(prefix.length), data]));
  for (const [name, { length }] of expected) {
    const got = carried.get(name)?.length;
    if (got !== length) fail(`${name} must have ${length} elements`, got === undefined ? "none" : String(got));
  }
  if (carried.size !== expected.size) fail(`there must be ${expected.size} arrays`, String(carried.size));
  return carried;
}

/** Elements in a row: the shapes are the program's to know. */
function asTensor(data: DataOf): HostTensor {
  const shape = [data.length];
  if (data instanceof Float32Array) return { shape, dtype: "float32", data };
  if (data instanceof Float64Array) return { shape, dtype: "float64", data };
  if (data instanceof Int32Array) return { shape, dtype: "int32", data };
  throw new Error(`internal: ${data.constructor.name} is not carried from step to step`);
}

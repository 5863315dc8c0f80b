import { devices } from "../../lib/graph/index.ts";
import { importModel } from "../../lib/import/index.ts";
import { crossEntropy, type Model, meanSquaredError } from "../../lib/nn/index.ts";
import { type Figure, figures, type Table, table } from "../../lib/plot/index.ts";
import { compile, type Program } from "../../lib/training/index.ts";
import { BadInput } from "../headless/index.ts";

/** What is asked of a model. */
export interface InspectOptions {
  readonly batch: number;
  readonly input?: readonly number[];
  /** Names of memory strategies. */
  readonly strategies: readonly string[];
  /** Name of a device. */
  readonly device?: string;
}

/** What was found: words and tables for the terminal, pictures for the page. */
export interface Inspection {
  readonly title: string;
  readonly parts: readonly (string | Table)[];
  readonly pictures: readonly (Figure | Table)[];
}

/** Bytes as people read them. */
function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(count, 1)) / 10)));
  return `${(count / 2 ** (10 * power)).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Operations as people read them. */
function operations(count: number): string {
  const units = ["", "k", "M", "G", "T"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(count, 1)) / 3)));
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 2)} ${units[power]}FLOP`;
}

const whole = (count: number): string => count.toLocaleString("en");

/**
 * Imports a model and plans one training step of it with each strategy.
 *
 * @throws BadInput if a strategy or a device is unknown, or the file cannot be imported
 */
export async function inspectModel(file: string, options: InspectOptions): Promise<Inspection> {
  const { batch, strategies } = options;
  const device = chooseDevice(options.device);
  const model = await imported(file, options.input);
  // What is trained is a classifier where there is one number per class; otherwise any output is compared with numbers.
  const loss = model.output.length === 1 && model.output[0] > 1 ? crossEntropy() : meanSquaredError();
  const planned = strategies.map((name) => {
    try {
      return { name, program: compile(model, { batch, loss, memory: name as "reuse" }) };
    } catch (error) {
      if (/^memory: a strategy must be known/.test((error as Error).message)) {
        throw new BadInput(`--strategy: ${(error as Error).message}`);
      }
      throw error;
    }
  });
  const [{ program }] = planned;
  const title = `${model.name} (${file})`;
  const head = [
    title,
    `  a sample       [${model.input.join()}] to [${model.output.join()}]`,
    `  parameters     ${whole(model.parameterCount)} (${bytes(4 * model.parameterCount)} in float32)`,
    `  layers         ${model.layers.length}`,
    `  forward        ${operations(flopsOf(program, ["forward"]))} for a batch of ${batch}, loss included`,
    `  training step  ${operations(flopsOf(program, null))} for a batch of ${batch}, loss and update included`,
  ].join("\n");
  const memory = table(
    planned.map(({ name, program: own }) => memoryRow(name, own, device)),
    `A training step at batch ${batch}, by memory strategy`,
  );
  const layers = layerTable(model, program, batch);
  const pictures = [
    memory,
    ...planned.map(({ program: own }) => figures.memory(own.memory)),
    figures["operator-graph"](program.graph),
    layers,
  ];
  return { title, parts: [head, memory, layers], pictures };
}

async function imported(file: string, input: readonly number[] | undefined): Promise<Model> {
  const shape = input === undefined ? {} : { input };
  try {
    // What weights are does not matter here: those in files beside the model are not asked for, and need not be there.
    return await importModel(file, { ...shape, weights: "drawn" });
  } catch {
    // Not every format, nor every dtype, can do without: what is wrong then, this says.
    try {
      return await importModel(file, shape);
    } catch (error) {
      throw new BadInput((error as Error).message, { cause: error });
    }
  }
}

type Device = (typeof devices)[keyof typeof devices];

function chooseDevice(name: string | undefined): Device | null {
  if (name === undefined) return null;
  if (Object.hasOwn(devices, name)) return devices[name as keyof typeof devices];
  throw new BadInput(`--device: must be one of ${Object.keys(devices).join(", ")}, got ${name}, write --device gc200`);
}

/** Arithmetic of some columns of a program's graph; of all of them for null. */
function flopsOf({ graph }: Program, columns: readonly string[] | null): number {
  return graph.nodes
    .filter(({ column }) => columns === null || columns.includes(column))
    .reduce((sum, { flops }) => sum + flops, 0);
}

function memoryRow(name: string, { memory }: Program, device: Device | null) {
  const { strategy } = memory;
  const extra = strategy === undefined || strategy.flops === 0 ? 0 : strategy.extraFlops / strategy.flops;
  const onChip = device === null ? 0 : device.tileCount * device.bytesPerTile;
  const row = {
    strategy: name,
    arena: bytes(memory.arenaBytes),
    "live at the peak": bytes(memory.peak.bytes),
    "repeated work": `${(100 * extra).toFixed(1)} %`,
  };
  if (device === null) return row;
  const share = `${((100 * memory.arenaBytes) / onChip).toFixed(0)} %`;
  return { ...row, [`of ${device.name}'s ${bytes(onChip)}`]: share };
}

/** What each layer holds and does; several uses of a layer are added up. */
function layerTable(model: Model, { graph }: Program, batch: number): Table {
  const forward = new Map<string, { flops: number; bytes: number }>();
  for (const { layer, column, flops, outputBytes } of graph.nodes) {
    if (column !== "forward") continue;
    const known = forward.get(layer) ?? { flops: 0, bytes: 0 };
    forward.set(layer, { flops: known.flops + flops, bytes: known.bytes + outputBytes });
  }
  const rows = model.layers.map(({ layer, label, output, parameters }) => {
    const own = forward.get(layer) ?? { flops: 0, bytes: 0 };
    return {
      layer,
      is: label,
      output: `[${output.join()}]`,
      parameters: whole(parameters),
      activations: bytes(own.bytes),
      work: operations(own.flops),
    };
  });
  return table(rows, `Layers, for a batch of ${batch}: outputs of their operations and forward arithmetic`);
}

import { devices, type Target } from "../../lib/graph/index.ts";
import { importModel } from "../../lib/import/index.ts";
import { lower } from "../../lib/lowering/index.ts";
import { crossEntropy, type Model, meanSquaredError } from "../../lib/nn/index.ts";
import {
  type Figure,
  figures,
  formatBytes,
  formatCount,
  formatFlops,
  type Table,
  table,
} from "../../lib/plot/index.ts";
import { type LayeredMachine, machines, runLayered, simulate, totalJoules } from "../../lib/simulator/index.ts";
import { compile, type Program } from "../../lib/training/index.ts";
import { BadInput } from "../headless/index.ts";

/** What is asked of a model. */
export interface InspectOptions {
  readonly batch: number;
  readonly input?: readonly number[];
  /** Names of memory strategies. */
  readonly strategies: readonly string[];
  /** Name of a device of tiles, or of a machine that takes a network layer by layer. */
  readonly device?: string;
}

/** What was found: words and tables for the terminal, pictures for the page. */
export interface Inspection {
  readonly title: string;
  readonly parts: readonly (string | Table)[];
  readonly pictures: readonly (Figure | Table)[];
}

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
    `  parameters     ${formatCount(model.parameterCount)} (${formatBytes(4 * model.parameterCount)} in float32)`,
    `  layers         ${model.layers.length}`,
    `  forward        ${formatFlops(flopsOf(program, ["forward"]))} for a batch of ${batch}, loss included`,
    `  training step  ${formatFlops(flopsOf(program, null))} for a batch of ${batch}, loss and update included`,
  ].join("\n");
  const memory = table(
    planned.map(({ name, program: own }) => memoryRow(name, own, device)),
    `A training step at batch ${batch}, by memory strategy`,
  );
  const layers = layerTable(model, program, batch);
  const placed = device === null ? [] : onDevice(planned, device, batch);
  const pictures = [
    memory,
    ...placed,
    ...planned.map(({ program: own }) => figures.memory(own.memory)),
    figures["operator-graph"](program.graph),
    layers,
  ];
  return { title, parts: [head, memory, ...placed, layers], pictures };
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

interface Planned {
  readonly name: string;
  readonly program: Program;
}

type Device = { readonly tiles: Target } | { readonly layered: LayeredMachine };

function chooseDevice(name: string | undefined): Device | null {
  if (name === undefined) return null;
  if (Object.hasOwn(devices, name)) return { tiles: devices[name as keyof typeof devices] };
  if (Object.hasOwn(machines, name)) return { layered: machines[name as keyof typeof machines] };
  const known = [...Object.keys(devices), ...Object.keys(machines)].join(", ");
  throw new BadInput(`--device: must be one of ${known}, got ${name}, write --device gc200`);
}

/** What a training step takes on a device, by memory strategy. */
function onDevice(planned: readonly Planned[], device: Device, batch: number): readonly Table[] {
  if ("tiles" in device) {
    const { tiles } = device;
    return [
      table(
        planned.map((one) => tileRow(one, tiles)),
        `A training step at batch ${batch} on the ${tiles.tileCount} tiles of ${tiles.name}, ${formatCount(tiles.bytesPerTile)} B each, as planned and simulated`,
      ),
    ];
  }
  const { layered } = device;
  const rows = planned.flatMap((one) =>
    (["single", "half"] as const).map((precision) => layerRow(one, layered, precision)),
  );
  return [table(rows, `A training step at batch ${batch} on a ${layered.name} machine, layer by layer`)];
}

function tileRow({ name, program }: Planned, target: Target) {
  const { memory, tiles, cycles, seconds } = simulate(lower(program, target), { fit: false });
  const fullest = memory.peak.reduce((most, bytesOfTile) => Math.max(most, bytesOfTile), 0);
  const over = memory.peak.filter((bytesOfTile) => bytesOfTile > memory.bytesPerTile).length;
  return {
    strategy: name,
    "tiles that compute": formatCount(tiles.compute.filter((own) => own > 0).length),
    "fullest tile": `${formatCount(fullest)} B`,
    cycles: formatCount(cycles),
    time: milliseconds(seconds),
    fits:
      over === 0
        ? "yes"
        : `no: ${formatCount(over)} ${over === 1 ? "tile has" : "tiles have"} too little, by up to ${formatCount(fullest - memory.bytesPerTile)} B`,
  };
}

function layerRow({ name, program }: Planned, machine: LayeredMachine, precision: "single" | "half") {
  const report = runLayered(program.training.schedule, machine, precision);
  return {
    strategy: name,
    precision,
    time: milliseconds(report.seconds),
    energy: `${(1e3 * totalJoules(report.energy)).toPrecision(3)} mJ`,
    "over the memory interface": formatBytes(report.interfaceBytes),
    "beside the arithmetic": formatBytes(report.localBytes),
    "needed there to spill nothing": formatBytes(report.localBytesNeeded),
  };
}

const milliseconds = (seconds: number): string => `${(1e3 * seconds).toPrecision(4)} ms`;

/** Arithmetic of some columns of a program's graph; of all of them for null. */
function flopsOf({ graph }: Program, columns: readonly string[] | null): number {
  return graph.nodes
    .filter(({ column }) => columns === null || columns.includes(column))
    .reduce((sum, { flops }) => sum + flops, 0);
}

function memoryRow(name: string, { memory }: Program, device: Device | null) {
  const { strategy } = memory;
  const extra = strategy === undefined || strategy.flops === 0 ? 0 : strategy.extraFlops / strategy.flops;
  const row = {
    strategy: name,
    arena: formatBytes(memory.arenaBytes),
    "live at the peak": formatBytes(memory.peak.bytes),
    "repeated work": `${(100 * extra).toFixed(1)} %`,
  };
  if (device === null || "layered" in device) return row;
  const { name: chip, tileCount, bytesPerTile } = device.tiles;
  const share = `${((100 * memory.arenaBytes) / (tileCount * bytesPerTile)).toFixed(0)} %`;
  return { ...row, [`of ${chip}'s ${formatBytes(tileCount * bytesPerTile)}`]: share };
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
      parameters: formatCount(parameters),
      activations: formatBytes(own.bytes),
      work: formatFlops(own.flops),
    };
  });
  return table(rows, `Layers, for a batch of ${batch}: outputs of their operations and forward arithmetic`);
}

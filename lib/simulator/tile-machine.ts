import type { Schedule } from "../compiler/index.ts";
import { type BlockProgram, blockBytes, columnStart, elementBytes, type VertexFamily } from "../graph/index.ts";
import { type OperatorName, operatorTable } from "../ops/index.ts";
import { simulate } from "./block-engine.ts";
import { byteJoules, type Energy, operationJoules, tileByteJoules, totalJoules } from "./energy.ts";
import type { MachineReport } from "./layered-machine.ts";

/** Bytes that vertices of a family read and write in their tiles' memory, each field once. */
function localBytes({ inputs, outputs, count }: VertexFamily): number {
  let bytes = 0;
  for (const column of [...inputs, ...outputs]) {
    const { variable, blocks } = column;
    const edges = columnStart(column, count);
    if (variable.layout.uniform && variable.layout.count > 0) bytes += edges * blockBytes(variable, 0);
    else
      for (let place = 0; place < edges; place++)
        bytes += blockBytes(variable, blocks === null ? place : blocks[place] - variable.firstBlock);
  }
  return bytes;
}

/** Arithmetic of a schedule, as its operators count it. */
function flopsOf({ graph }: Schedule): number {
  return graph.operations.reduce((sum, { operator, inputs, outputs, attributes }) => {
    const { cost } = operatorTable[operator as OperatorName];
    return (
      sum +
      cost(
        inputs.map(({ type }) => type),
        outputs.map(({ type }) => type),
        attributes,
      ).flops
    );
  }, 0);
}

/**
 * A schedule lowered to tiles, told in the words of `runLayered`: weights and activations stay on the tiles, and what
 * crosses the interface is what the host gives and takes.
 */
export function runOnTiles(schedule: Schedule, program: BlockProgram): MachineReport {
  const report = simulate(program, { fit: false });
  const { precision, graph } = program;
  const { target, steps } = graph;
  const flops = flopsOf(schedule);
  let moved = 0;
  for (const step of steps)
    moved +=
      step.kind === "execute" ? localBytes(step.family) : 2 * step.from.layout.elements * elementBytes[step.from.type];
  const given = [...program.inputs.values()].filter(({ variable }) => variable.role === "data");
  const taken = [...program.outputs.values()].filter(({ variable }) => variable.storage === variable.id);
  const interfaceBytes = [...given, ...taken].reduce(
    (sum, { variable, layout }) => sum + layout.elements * elementBytes[variable.type],
    0,
  );
  return {
    kind: "machine",
    machine: target.name,
    network: program.name,
    precision,
    seconds: report.seconds,
    flops,
    energy: {
      arithmetic: flops * operationJoules[precision],
      local: moved * tileByteJoules(target.bytesPerTile),
      exchange: report.exchangedBytes * byteJoules.exchange,
      memory: interfaceBytes * byteJoules.dram,
    },
    interfaceBytes,
    localBytes: target.tileCount * target.bytesPerTile,
    localBytesNeeded: report.memory.peak.reduce((sum, bytes) => sum + bytes, 0),
    steps: report.supersteps.length,
  };
}

/** Reports side by side, as text. */
export function formatMachines(reports: readonly MachineReport[]): string {
  const joules =
    (select: (energy: Energy) => number) =>
    (report: MachineReport): string =>
      `${(1e3 * select(report.energy)).toPrecision(3)} mJ`;
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const rows: readonly (readonly [string, (report: MachineReport) => string])[] = [
    ["network", ({ network }) => network],
    ["precision", ({ precision }) => precision],
    ["time", ({ seconds }) => `${(1e3 * seconds).toPrecision(4)} ms`],
    ["arithmetic", ({ flops }) => `${(flops / 1e9).toPrecision(4)} GFLOP`],
    ["energy", joules(totalJoules)],
    ["  arithmetic", joules(({ arithmetic }) => arithmetic)],
    ["  memory beside it", joules(({ local }) => local)],
    ["  exchange", joules(({ exchange }) => exchange)],
    ["  memory interface", joules(({ memory }) => memory)],
    ["over the interface", ({ interfaceBytes }) => mebibytes(interfaceBytes)],
    ["memory beside it", (report) => mebibytes(report.localBytes)],
    ["  needed", ({ localBytesNeeded }) => mebibytes(localBytesNeeded)],
    ["steps", ({ steps }) => String(steps)],
  ];
  const cells = [
    ["", ...reports.map(({ machine }) => machine)],
    ...rows.map(([title, show]) => [title, ...reports.map(show)]),
  ];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

import { type MemoryOption, strategyNames } from "../../lib/compiler/index.ts";
import type { MemoryReport } from "../../lib/memory/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { compareMemory, compile } from "../../lib/training/index.ts";
import type { Figures, Measured } from "./benchmark.ts";

// Every memory strategy on networks for MNIST, executed, and on ResNet-18, planned.

/** Names as keys of figures: `accumulate 4, checkpoint` is `accumulate4Checkpoint`. */
function keyOf(name: string): string {
  return name.replace(/[^a-zA-Z0-9]+(.)?/g, (_, next: string | undefined) => (next ?? "").toUpperCase());
}

/** What comes and goes: the arena without weights and states. */
function workingBytes({ arenaBytes, buffers }: MemoryReport): number {
  const resident = buffers.filter(({ category }) => category === "weights" || category === "optimizer");
  return arenaBytes - resident.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Strategies on a network, executed for five steps on drawn data; and how long the whole comparison takes. */
async function executed(name: string, model: nn.Model, batch: number): Promise<Figures> {
  const before = performance.now();
  const { rows } = await compareMemory(model, { batch, threads: 1, steps: 5 });
  const figures: Record<string, number> = { [`${name}ComparisonSeconds`]: (performance.now() - before) / 1000 };
  for (const row of rows) {
    const key = `${name}_${keyOf(row.name)}_`;
    figures[`${key}WorkingBytes`] = row.workingBytes;
    figures[`${key}ExtraPercent`] = 100 * row.extraWork;
    figures[`${key}StepSeconds`] = (row.millisecondsPerStep ?? Number.NaN) / 1000;
    figures[`${key}PlannedStepSeconds`] = (row.plannedMillisecondsPerStep ?? Number.NaN) / 1000;
    figures[`${key}LossDifference`] = row.lossDifference ?? Number.NaN;
    figures[`${key}LargestBatch`] = row.largestBatch;
  }
  return figures;
}

/** Strategies on a network, planned alone. */
function planned(name: string, model: nn.Model, batch: number): Figures {
  const figures: Record<string, number> = {};
  const micro = { accumulate: 4 } as const;
  const options: Record<string, MemoryOption> = {
    ...Object.fromEntries(strategyNames.map((strategy) => [strategy, strategy])),
    "checkpoint, float16": ["checkpoint", "float16"],
    "accumulate 4": micro,
    "accumulate 4, checkpoint": [micro, "checkpoint"],
  };
  for (const [option, memory] of Object.entries(options)) {
    const before = performance.now();
    const { memory: report } = compile(model, { batch, threads: 1, memory });
    const key = `${name}_${keyOf(option)}_`;
    const { flops, extraFlops, plannedSeconds } = report.strategy as NonNullable<typeof report.strategy>;
    figures[`${key}WorkingBytes`] = workingBytes(report);
    figures[`${key}ExtraPercent`] = (100 * extraFlops) / flops;
    figures[`${key}PlanSeconds`] = (performance.now() - before) / 1000;
    if (plannedSeconds !== undefined) figures[`${key}LinkedDeviceStepSeconds`] = plannedSeconds;
    if (report.hostBytes !== undefined) figures[`${key}HostBytes`] = report.hostBytes;
  }
  return figures;
}

export async function measure(): Promise<Measured> {
  const rnn = nn.sequential([nn.rnn(64), nn.dense(10)], { input: [28, 28], name: "rnn" });
  const figures = {
    ...(await executed("lenet5", nn.models.lenet5(), 256)),
    ...(await executed("rnn", rnn, 256)),
    ...planned("resnet18", nn.models.resnet18(), 32),
  };
  return { figures, peers: {} };
}

import { makeSchedule } from "../../lib/compiler/index.ts";
import {
  devices,
  formatCensus,
  graphcoreCounts,
  type PublishedCensus,
  takeCensus,
  type VertexCensus,
} from "../../lib/graph/index.ts";
import type { OperatorGraph } from "../../lib/ir/index.ts";
import { type LoweredProgram, lower, lowerFine, type PlannedProgram } from "../../lib/lowering/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { formatMachines, machines, runLayered, runOnTiles, simulate } from "../../lib/simulator/index.ts";
import { inferenceGraph, trainingGraph } from "../../lib/training/index.ts";
import type { Measured } from "./benchmark.ts";

interface Counted {
  readonly seconds: number;
  readonly census: VertexCensus;
}

/** Builds, maps and summarises a network at the fine grain. */
function count(build: () => LoweredProgram): Counted {
  const before = performance.now();
  const { graph, name, rule } = build();
  const census = takeCensus(graph, name, rule);
  return { seconds: (performance.now() - before) / 1000, census };
}

const stepOf = (model: nn.Model, batch: number): OperatorGraph =>
  trainingGraph(model, nn.sgd({ rate: 0.01 }), { batch, loss: nn.crossEntropy() });

const training =
  (model: nn.Model, batch: number, outline = false) =>
  (): LoweredProgram =>
    lowerFine(stepOf(model, batch), devices.gc200, { outline });

/**
 * AlexNet's training step at the fine grain, counted beside Graphcore's numbers, with ResNet-50 and an MLP; batches grow
 * so that the cost can be seen to be linear. Memory is the whole process's.
 */
export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  const note = (name: string, { seconds, census: { totals } }: Counted): void => {
    figures[`${name}Seconds`] = seconds;
    figures[`${name}Vertices`] = totals.vertices;
    figures[`${name}InputEdges`] = totals.inputs;
    figures[`${name}AllFieldEdges`] = totals.fields;
    figures[`${name}VertexToVertexEdges`] = totals.produced;
    figures[`${name}SecondsPerMillionEdges`] = seconds / (totals.fields / 1e6);
  };
  const show = ({ census }: Counted, published?: PublishedCensus): void =>
    console.log(`${formatCensus(census, published)}\n`);

  const mlp = nn.sequential([nn.flatten(), nn.dense(128), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 });
  note("mnistMlp", count(training(mlp, 64)));
  const alexnet = nn.models.alexnet();
  for (const batch of [16, 32, 64, 128]) {
    const counted = count(training(alexnet, batch));
    note(`alexnetBatch${batch}`, counted);
    if (batch === 128) show(counted, graphcoreCounts.alexnetTraining);
  }
  figures.peakResidentBytes = process.resourceUsage().maxRSS * 1024;
  // The planned grain: what a device would run, for its costs alone.
  const planned = (name: string, lowerIt: () => PlannedProgram): void => {
    const before = performance.now();
    const program = lowerIt();
    const report = simulate(program, { fit: false });
    const sum = (bytes: Float64Array): number => bytes.reduce((total, own) => total + own, 0);
    figures[`${name}LowerAndSimulateSeconds`] = (performance.now() - before) / 1000;
    figures[`${name}Vertices`] = program.graph.vertexCount;
    figures[`${name}DeviceCycles`] = report.cycles;
    figures[`${name}DeviceSeconds`] = report.seconds;
    figures[`${name}VertexStateBytes`] = sum(report.memory.vertexState);
    figures[`${name}ExchangeCodeBytes`] = sum(report.memory.exchangeCode);
    figures[`${name}FullestTileBytes`] = report.memory.peak.reduce((most, bytes) => Math.max(most, bytes), 0);
  };
  for (const batch of [1, 16]) {
    for (const precision of ["single", "half"] as const) {
      const name = `alexnetPlannedBatch${batch}${precision === "half" ? "Half" : ""}`;
      planned(name, () => lower(stepOf(alexnet, batch), devices.gc200, { precision }));
    }
  }
  // The same network on machines that take it layer by layer; float32 everywhere but where half is said.
  for (const batch of [1, 32]) {
    const schedule = makeSchedule(stepOf(alexnet, batch));
    const reports = [
      runOnTiles(schedule, lower(schedule, devices.gc200)),
      runOnTiles(schedule, lower(schedule, devices.gc200, { precision: "half" })),
      runLayered(schedule, machines.gpu),
      runLayered(schedule, machines.gpu, "half"),
      runLayered(schedule, machines.cpu),
    ];
    console.log(`AlexNet's training step, batch ${batch}\n${formatMachines(reports)}\n`);
    for (const { machine, precision, seconds, interfaceBytes } of reports) {
      const name = `alexnetBatch${batch}On${machine.replace("-like", "")}${precision === "half" ? "Half" : ""}`;
      figures[`${name}Seconds`] = seconds;
      figures[`${name}InterfaceBytes`] = interfaceBytes;
    }
  }
  const resnet = nn.models.resnet50({ version: "v1" });
  for (const outline of [false, true]) {
    planned(`resnet50PlannedInference${outline ? "Outlined" : ""}`, () =>
      lower(inferenceGraph(resnet, { batch: 1, loss: nn.crossEntropy() }), devices.gc200, { outline }),
    );
    planned(`resnet50PlannedTraining${outline ? "Outlined" : ""}`, () =>
      lower(stepOf(resnet, 1), devices.gc200, { outline }),
    );
  }
  const inference = count(() =>
    lowerFine(inferenceGraph(resnet, { batch: 1, loss: nn.crossEntropy() }), devices.gc200),
  );
  note("resnet50InferenceBatch1", inference);
  show(inference, graphcoreCounts.resnet50Inference);
  const outlined = count(() =>
    lowerFine(inferenceGraph(resnet, { batch: 1, loss: nn.crossEntropy() }), devices.gc200, { outline: true }),
  );
  note("resnet50InferenceBatch1Outlined", outlined);
  note("resnet50TrainingBatch4", count(training(resnet, 4)));
  note("resnet50TrainingBatch4Outlined", count(training(resnet, 4, true)));
  const { alexnetTraining: theirs, resnet50Inference: others } = graphcoreCounts;
  const graphcore = {
    alexnetBatch128Vertices: theirs.vertices,
    alexnetBatch128InputEdges: theirs.edges,
    resnet50InferenceBatch1Vertices: others.vertices,
    resnet50InferenceBatch1InputEdges: others.edges,
  };
  return { figures, peers: { graphcore } };
}

import { createHash } from "node:crypto";
import { devices } from "../../lib/graph/index.ts";
import { type LoweredProgram, lowerFine } from "../../lib/lowering/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { layoutGraph } from "../../lib/plot/graph/fold-layout.ts";
import { buildHierarchy, chooseOpen } from "../../lib/plot/graph/hierarchy.ts";
import { bigPicture, curves, graph } from "../../lib/plot/index.ts";
import { layoutBlocks } from "../../lib/plot/vertices/block-layout.ts";
import { divideIntoBlocks } from "../../lib/plot/vertices/blocks.ts";
import { drawScene } from "../../lib/plot/vertices/draw-scene.ts";
import { readBlockGraph } from "../../lib/plot/vertices/from-blocks.ts";
import { buildScene } from "../../lib/plot/vertices/scene.ts";
import { countEdges, type VertexGraph } from "../../lib/plot/vertices/vertex-graph.ts";
import { trainingGraph } from "../../lib/training/index.ts";
import { sampleGraph, sampleHistory } from "../lib/plot/samples.ts";
import { type Measured, median, medianSeconds } from "./benchmark.ts";

const seconds = async (work: () => unknown): Promise<number> => {
  const before = performance.now();
  await work();
  return (performance.now() - before) / 1000;
};

/** Seconds that all threads of this process have worked: unlike time, it hardly depends on what else the machine does. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Edges drawn by so many threads in a second, and in a second of work: the medians of three pictures. */
async function edgesPerSecond(pictured: VertexGraph, threads: number): Promise<[elapsed: number, worked: number]> {
  const blocks = divideIntoBlocks(pictured, 24_000);
  const scene = buildScene(pictured, blocks, layoutBlocks(pictured, blocks), 2000);
  const view = { zoom: 1, left: 0, top: 0, width: scene.width, height: scene.height };
  const times: number[] = [];
  const work: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const before = processorSeconds();
    times.push(await seconds(() => drawScene(scene, pictured, view, threads)));
    work.push(processorSeconds() - before);
  }
  const edges = countEdges(pictured);
  return [edges / median(times), edges / median(work)];
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Names the bytes of a program's picture, drawn by so many threads. */
async function digestOf(lowered: LoweredProgram, threads: number): Promise<string> {
  return digest(await (await bigPicture(lowered, { threads })).png());
}

/**
 * The whole AlexNet training step at the fine grain, from model to PNG; how fast edges are drawn; the operator graph's
 * layout cold, first of all, and warm; a chart's picture. Memory is the whole process's. Fails unless one, two and four
 * threads draw the same bytes.
 */
export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  const operators = sampleGraph([784, ...new Array<number>(1120).fill(64), 10], 64);
  const layout = (): void => {
    const root = buildHierarchy(operators);
    layoutGraph(operators, root, chooseOpen(root, { rows: 400, boxes: 1500 }));
  };
  figures.operatorGraphColdSeconds = await seconds(layout);
  figures.operatorGraphSeconds = await medianSeconds(layout);
  figures.operatorGraphOperators = operators.nodes.length;
  const histories = { shallow: [sampleHistory("shallow", 1, 0.017)], deep: [sampleHistory("deep", 1, 0.02)] };
  await curves(histories).png();
  figures.chartPngSeconds = await seconds(() => curves(histories).png());
  figures.operatorGraphPngSeconds = await seconds(() => graph(operators).png());

  const started = performance.now();
  const alexnet = trainingGraph(nn.models.alexnet(), nn.sgd({ rate: 0.01 }), { batch: 128, loss: nn.crossEntropy() });
  const lowered = lowerFine(alexnet, devices.gc200);
  figures.loweringSeconds = (performance.now() - started) / 1000;
  const figure = await bigPicture(lowered);
  const png = await figure.png();
  figures.modelToPngSeconds = (performance.now() - started) / 1000;
  figures.pngBytes = png.length;
  console.log(figure.summary);
  figures.peakResidentBytes = process.resourceUsage().maxRSS * 1024;
  const files: string[] = [];
  for (const threads of [1, 2, 4]) files.push(await digestOf(lowered, threads));
  if (new Set([digest(png), ...files]).size !== 1)
    throw new Error("picture: 1, 2 and 4 threads must draw the same bytes");
  const pictured = readBlockGraph(lowered.graph, lowered.name);
  figures.vertices = pictured.vertexCount;
  figures.edges = countEdges(pictured);
  for (const [name, threads] of Object.entries({ oneThread: 1, twoThreads: 2 })) {
    const [elapsed, worked] = await edgesPerSecond(pictured, threads);
    figures[`${name}EdgesPerSecond`] = elapsed;
    figures[`${name}ProcessorEdgesPerSecond`] = worked;
  }
  return { figures, peers: {} };
}

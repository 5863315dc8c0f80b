import type { Shape } from "../../tensor/index.ts";
import { chain, residual } from "../compose.ts";
import { checkSize, type Layer } from "../layer.ts";
import { dense, relu } from "../layers.ts";
import { type Model, sequential } from "../model.ts";
import { batchNorm } from "../normalisation.ts";
import { type ConvolutionOptions, convolution, globalAveragePool, maxPool } from "../planes.ts";
import { modelOptions, type PictureModelOptions } from "./options.ts";

/** Settings of residual networks. */
export interface ResnetOptions extends PictureModelOptions {
  /**
   * Where a bottleneck that halves the picture does so: `v1`, in its first 1 × 1 convolution, as in the paper, or
   * `v1.5`, in its 3 × 3 convolution, as in torchvision. `v1.5` unless told otherwise; blocks of two convolutions know
   * no difference.
   */
  readonly version?: "v1" | "v1.5";
}

/** A convolution without bias, which the shift of its normalisation makes needless. */
const normalised = (filters: number, options: ConvolutionOptions): Layer[] => [
  convolution(filters, { ...options, bias: false }),
  batchNorm(),
];

/** Makes one block of a stage. */
type Block = (filters: number, stride: number, project: boolean) => Layer;

/** Two 3 × 3 convolutions (He, Zhang, Ren, Sun 2015, figure 5 left). */
const basicBlock: Block = (filters, stride, project) =>
  residual(
    [
      ...normalised(filters, { kernel: 3, stride, padding: 1 }),
      relu(),
      ...normalised(filters, { kernel: 3, padding: 1 }),
    ],
    { type: "basic", shortcut: project ? normalised(filters, { kernel: 1, stride }) : [], after: [relu()] },
  );

/** 1 × 1, 3 × 3, 1 × 1 with four times the filters (figure 5 right). */
function bottleneck(version: "v1" | "v1.5"): Block {
  return (filters, stride, project) => {
    const [first, second] = version === "v1" ? [stride, 1] : [1, stride];
    return residual(
      [
        ...normalised(filters, { kernel: 1, stride: first }),
        relu(),
        ...normalised(filters, { kernel: 3, stride: second, padding: 1 }),
        relu(),
        ...normalised(4 * filters, { kernel: 1 }),
      ],
      { type: "bottleneck", shortcut: project ? normalised(4 * filters, { kernel: 1, stride }) : [], after: [relu()] },
    );
  };
}

/** Stages of blocks; each but the first halves the picture and doubles the filters. */
function stages(perStage: readonly number[], filters: number, block: Block, firstProjects: boolean): Layer[] {
  return perStage.map((count, stage) => {
    const blocks = Array.from({ length: count }, (_, index) => {
      const opens = index === 0;
      return block(filters * 2 ** stage, opens && stage > 0 ? 2 : 1, opens && (stage > 0 || firstProjects));
    });
    return chain(blocks, { name: `conv${stage + 2}` });
  });
}

function forImagenet(name: string, body: readonly Layer[], { classes = 1000, ...options }: ResnetOptions): Model {
  const stem = [...normalised(64, { kernel: 7, stride: 2, padding: 3 }), relu(), maxPool(3, { stride: 2, padding: 1 })];
  return sequential(
    [chain(stem, { name: "conv1" }), ...body, globalAveragePool(), dense(classes)],
    modelOptions(name, options),
  );
}

function checkVersion(network: string, version: string): asserts version is "v1" | "v1.5" {
  if (version !== "v1" && version !== "v1.5") {
    throw new Error(`${network}: the version must be v1 or v1.5, got ${version}; choose one of them`);
  }
}

/** ResNet with 18 layers of weights, in blocks of two (He, Zhang, Ren, Sun 2015, table 1); 11,689,512 parameters. */
export function resnet18(options: ResnetOptions = {}): Model {
  checkVersion("resnet18", options.version ?? "v1.5");
  return forImagenet("ResNet-18", stages([2, 2, 2, 2], 64, basicBlock, false), options);
}

/** ResNet with 50 layers of weights, in bottlenecks of three (table 1); 25,557,032 parameters. */
export function resnet50(options: ResnetOptions = {}): Model {
  const { version = "v1.5" } = options;
  checkVersion("resnet50", version);
  return forImagenet(`ResNet-50 ${version}`, stages([3, 4, 6, 3], 64, bottleneck(version), true), options);
}

/** Settings of a residual network for small pictures. */
export interface SmallResnetOptions {
  /** [channels, height, width]; [1, 28, 28] unless told otherwise. */
  readonly input?: Shape;
  /** 10 unless told otherwise. */
  readonly classes?: number;
  /** Blocks in each stage; [3, 3, 3], ResNet-20, unless told otherwise. */
  readonly blocks?: readonly number[];
  /** Filters of the first stage; 16 unless told otherwise. */
  readonly filters?: number;
  readonly seed?: number;
}

/**
 * The residual network for pictures of some 30 pixels (He, Zhang, Ren, Sun 2015, section 4.2): a 3 × 3 convolution, then
 * stages of basic blocks. Shortcuts between stages are 1 × 1 convolutions, where the paper pads with zeros.
 */
export function smallResnet(options: SmallResnetOptions = {}): Model {
  const { input = [1, 28, 28], classes = 10, blocks = [3, 3, 3], filters = 16, seed } = options;
  checkSize("smallResnet", "filters", filters);
  for (const count of blocks) checkSize("smallResnet", "blocks", count);
  const stem = chain([...normalised(filters, { kernel: 3, padding: 1 }), relu()], { name: "conv1" });
  const layers = 2 * blocks.reduce((sum, count) => sum + count, 0) + 2;
  return sequential(
    [stem, ...stages(blocks, filters, basicBlock, false), globalAveragePool(), dense(classes)],
    modelOptions(`ResNet-${layers}`, { input, seed }),
  );
}

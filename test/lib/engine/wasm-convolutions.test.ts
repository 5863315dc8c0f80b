import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import { GraphBuilder, type OperatorGraph } from "../../../lib/ir/index.ts";
import { fuse, lowerStep, printKernel } from "../../../lib/loops/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";
import { compareWithReference, difference, outputsOf } from "./wasm-cases.ts";

const test = suite("convolutions in stages");

/** A convolution by its extents. */
interface Extents {
  readonly samples: number;
  readonly channels: number;
  readonly filters: number;
  /** Rows and columns of the maps. */
  readonly size: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly kernel?: readonly [number, number];
  readonly stride?: readonly [number, number];
}

/** A convolution with bias and ReLU, and both of its gradients. */
function convolutionGraph({ samples, channels, filters, size, padding, kernel = [3, 3], stride = [1, 1] }: Extents) {
  const builder = new GraphBuilder(operatorTable, `convolution of ${samples} × ${channels}`);
  const pictures = size.map((extent, axis) => (extent - 1) * stride[axis] + kernel[axis] - 2 * padding[axis]);
  const input = (name: string, ...shape: number[]) => builder.input(name, { shape, dtype: "float32" }, "data");
  const [x, g] = [input("x", samples, channels, ...pictures), input("g", samples, filters, ...size)];
  const [w, b] = [input("w", filters, channels, ...kernel), input("b", filters)];
  const attributes = { stride, padding };
  const maps = builder.apply("addBias", [builder.apply("convolution2d", [x, w], attributes), b], { axis: 1 });
  builder.output("y", builder.apply("relu", [maps]));
  builder.output("dx", builder.apply("convolution2dInputGradient", [g, w], { ...attributes, size: pictures }));
  builder.output("dw", builder.apply("convolution2dWeightGradient", [x, g], { ...attributes, kernel }));
  return builder.build();
}

/** The steps of a graph that are computed in stages, by the operator that makes them so. */
function inStages(graph: OperatorGraph): readonly string[] {
  return fuse(makeSchedule(graph))
    .filter((step) => /nest "products"/.test(printKernel(lowerStep(step))))
    .map(({ name }) => name);
}

const all = ["convolution2d + addBias + relu", "convolution2dInputGradient", "convolution2dWeightGradient"];

const plain: Extents = { samples: 4, channels: 9, filters: 10, size: [14, 10], padding: [1, 1] };

test("kernels of 3 × 3 with maps of even size go in stages, and their gradients do", () => {
  assert.equal(inStages(convolutionGraph(plain)), all);
});

test("others do not", () => {
  const others: Readonly<Record<string, Partial<Extents>>> = {
    "a larger kernel": { kernel: [5, 5], padding: [2, 2] },
    "a kernel that is no square": { kernel: [3, 1], padding: [1, 0] },
    "a stride": { stride: [2, 2] },
    "an odd number of rows": { size: [13, 10] },
    "few channels": { channels: 3 },
    "few filters": { filters: 3 },
    "small maps": { size: [2, 2] },
  };
  for (const [what, change] of Object.entries(others)) {
    assert.equal(inStages(convolutionGraph({ ...plain, ...change })), [], what);
  }
});

test("they give what the definitions do, for random extents", async () => {
  const draw = random(7);
  const pick = <T>(choices: readonly T[]): T => choices[draw.next() % choices.length];
  let staged = 0;
  for (let seed = 1; seed <= 24; seed++) {
    const graph = convolutionGraph({
      samples: pick([1, 2, 3, 4, 5, 7, 8, 12]),
      channels: pick([8, 9, 11, 16, 21]),
      filters: pick([8, 10, 13, 16, 32]),
      size: [pick([4, 6, 8, 10, 14, 18]), pick([6, 8, 10, 12, 16])],
      padding: [pick([0, 1, 2]), pick([0, 1, 2])],
    });
    staged += inStages(graph).length;
    assert.is(await compareWithReference(wasmEngine(), graph, { seed, bound: 3e-6 }), "", `seed ${seed}`);
  }
  assert.ok(staged > 30, `${staged} of 72 in stages`);
});

test("so they do where pictures go in blocks of rows, and where planes are put together for all samples", async () => {
  const large: readonly Extents[] = [
    // Blocks of rows of a thread's own planes.
    { samples: 4, channels: 16, filters: 25, size: [40, 40], padding: [1, 1] },
    // Few samples, of which threads share the rows.
    { samples: 1, channels: 16, filters: 8, size: [32, 48], padding: [1, 1] },
    { samples: 1, channels: 25, filters: 20, size: [16, 32], padding: [0, 1] },
    // Too many kernels for sums of parts of the batch: threads share the filters.
    { samples: 4, channels: 66, filters: 64, size: [6, 10], padding: [1, 1] },
  ];
  for (const [seed, extents] of large.entries()) {
    const graph = convolutionGraph(extents);
    assert.equal(inStages(graph), all, `${seed}`);
    assert.is(await compareWithReference(wasmEngine(), graph, { seed, bound: 3e-6 }), "", `${seed}`);
  }
});

test("results are the same to the bit on one, two and four threads", async () => {
  for (const samples of [1, 3, 16]) {
    const schedule = makeSchedule(convolutionGraph({ ...plain, samples, size: [16, 32] }));
    const alone = await outputsOf(wasmEngine(), schedule, { seed: samples });
    for (const threads of [2, 4]) {
      const shared = await outputsOf(wasmEngine({ threads }), schedule, { seed: samples });
      for (const [name, values] of alone) {
        const apart = difference(values, shared.get(name) as ArrayLike<number>);
        assert.is(apart, 0, `${name} of ${samples} samples on ${threads} threads`);
      }
    }
  }
});

test("in blocks of samples every number is computed as it is without, but for the order of sums over samples", async () => {
  const schedule = makeSchedule(convolutionGraph({ ...plain, samples: 8 }));
  const whole = await outputsOf(wasmEngine(), schedule, { seed: 1 });
  for (const threads of [1, 2]) {
    for (const sums of [false, true]) {
      const blocks = { ...schedule, sampleBlocks: { batch: 8, samples: 2, sums } };
      const inBlocks = await outputsOf(wasmEngine({ threads }), blocks, { seed: 1 });
      for (const [name, values] of whole) {
        const apart = difference(values, inBlocks.get(name) as ArrayLike<number>);
        assert.ok(apart <= (sums && name === "dw" ? 1e-6 : 0), `${name}: ${apart}`);
      }
    }
  }
});

test("a number that is not finite spoils its own sample's tiles, and what is summed over samples", async () => {
  const schedule = makeSchedule(convolutionGraph({ ...plain, filters: 8 }));
  const outputs = async (
    engine: ReturnType<typeof wasmEngine>,
    value: number,
  ): Promise<ReadonlyMap<string, number[]>> => {
    const execution = await engine.load(engine.compile(schedule));
    const draw = random(3);
    for (const name of ["x", "g", "w", "b"]) {
      const array = execution.input(name);
      array.set(Float32Array.from({ length: array.length }, () => draw.nextNormal()));
    }
    // The last element of the first sample's pictures.
    execution.input("x")[9 * 14 * 10 - 1] = value;
    execution.run();
    const results = new Map(["y", "dw"].map((name) => [name, [...execution.output(name)]]));
    execution.dispose();
    return results;
  };
  const [spoilt, sound] = [await outputs(wasmEngine(), Number.NaN), await outputs(wasmEngine(), 0)];
  const expected = await outputs(referenceEngine(), Number.NaN);
  const notNumbers = (of: ReadonlyMap<string, number[]>, name: string) => (of.get(name) as number[]).map(Number.isNaN);
  const [found, least] = [notNumbers(spoilt, "y"), notNumbers(expected, "y")];
  assert.ok(least.every((is, place) => !is || found[place]));
  const perPicture = 14 * 10;
  for (const [place, is] of found.entries()) {
    const [row, column] = [Math.floor((place % perPicture) / 10), place % 10];
    const inTile = place < 8 * perPicture && row >= 12 && column >= 8;
    assert.is(is, inTile, `sample ${Math.floor(place / 8 / perPicture)}, row ${row}, column ${column}`);
    if (!is) assert.is((spoilt.get("y") as number[])[place], (sound.get("y") as number[])[place]);
  }
  assert.ok(notNumbers(expected, "dw").every((is, place) => !is || notNumbers(spoilt, "dw")[place]));
});

test.run();

import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { GraphBuilder, type Value } from "../../../lib/ir/index.ts";
import { type FusedStep, fuse, lowerStep, printKernel } from "../../../lib/loops/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("blocks of samples");

const batch = 8;

interface Making {
  readonly builder: GraphBuilder;
  data(...shape: number[]): Value;
  weights(...shape: number[]): Value;
}

/** The fused steps of a graph with one output, four of eight samples at a time. */
function stepsOf(build: (making: Making) => Value): readonly FusedStep[] {
  const builder = new GraphBuilder(operatorTable, "test");
  let count = 0;
  const input = (role: "data" | "parameter", shape: readonly number[]): Value =>
    builder.input(`x${count++}`, { shape, dtype: "float32" }, role);
  builder.output(
    "y",
    build({ builder, data: (...shape) => input("data", shape), weights: (...shape) => input("parameter", shape) }),
  );
  return fuse({ ...makeSchedule(builder.build()), sampleBlocks: { batch, samples: 4 } });
}

const padded = { stride: [1, 1], padding: [1, 1] };
const pool = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };

test("convolution and pooling are one loop over blocks, and what passes between them is there for one block", () => {
  const steps = stepsOf(({ builder, data, weights }) => {
    const maps = builder.apply("convolution2d", [data(batch, 1, 4, 4), weights(3, 1, 3, 3)], padded);
    return builder.applyAll("maxPool2d", [builder.apply("relu", [maps])], pool)[0];
  });
  assert.is(steps.length, 1);
  const [step] = steps;
  assert.equal(
    step.run?.steps.map(({ name }) => name),
    ["convolution2d + relu", "maxPool2d"],
  );
  const shapes = step.writes.map(({ type }) => type.shape);
  assert.equal(shapes, [[batch, 3, 2, 2]], "only what is pooled is kept for all samples");
  // A block's pictures with their margin, and a block's maps.
  const { nests, scratch } = lowerStep(step);
  assert.equal(scratch, [{ bytes: 4 * (144 + 192), perThread: true }]);
  assert.equal(
    nests.map(({ loops }) => loops.map(({ axis, parallel }) => [axis.name, axis.extent, parallel])),
    [[["block", 2, true]]],
  );
  assert.match(printKernel(lowerStep(step)), /%\d+\[48·block \+ /);
});

test("what is turned or copied of the weights is made once, before all blocks", () => {
  const attributes = { ...padded, size: [4, 4] };
  const steps = stepsOf(({ builder, data, weights }) =>
    // As many filters as samples: that alone makes no samples of them.
    builder.apply("convolution2dInputGradient", [data(batch, batch, 4, 4), weights(batch, 2, 3, 3)], attributes),
  );
  const { nests, scratch } = lowerStep(steps[0]);
  assert.equal(
    nests.map(({ name }) => name),
    ["copy", "convolution2dInputGradient"],
  );
  assert.equal(scratch[1], { bytes: 4 * batch * 2 * 9, perThread: false });
});

test("sums over samples, and steps in which a sample sees another one, stay by themselves", () => {
  const apart: Readonly<Record<string, (making: Making) => Value>> = {
    "a sum over the batch": ({ builder, data }) =>
      builder.apply("sum", [builder.apply("softmax", [data(batch, 4)])], { axes: [0] }),
    "a product of samples with samples": ({ builder, data }) => {
      const x = builder.apply("softmax", [data(batch, batch)]);
      return builder.apply("matmul", [x, x]);
    },
    "samples in another order": ({ builder, data }) => {
      const x = builder.apply("softmax", [data(batch, batch)]);
      return builder.apply("softmax", [builder.apply("transpose", [x], { permutation: [1, 0] })]);
    },
    "a weight's gradient": ({ builder, data }) =>
      builder.apply("matmul", [builder.apply("softmax", [data(batch, 4)]), data(batch, batch)], { transposeA: true }),
  };
  for (const [what, build] of Object.entries(apart)) {
    const steps = stepsOf(build);
    assert.ok(steps.length > 1, what);
    assert.ok(
      steps.every(({ run }) => run === undefined),
      what,
    );
  }
});

test("sums over samples grow block by block in parts of the batch, where that is allowed, and end in the same step", () => {
  const builder = new GraphBuilder(operatorTable, "test");
  const input = (name: string, role: "data" | "parameter", ...shape: number[]): Value =>
    builder.input(name, { shape, dtype: "float32" }, role);
  const x = builder.apply("tanh", [input("x", "data", batch, 2, 4, 4)]);
  // As many filters as samples: still it is samples that are summed over.
  const maps = builder.apply("relu", [input("maps", "data", batch, batch, 4, 4)]);
  const gradient = builder.apply("convolution2dWeightGradient", [x, maps], { ...padded, kernel: [3, 3] });
  const weights = input("weights", "parameter", batch, 2, 3, 3);
  builder.output(
    "new",
    builder.inPhase("update", "", () => builder.apply("subtract", [weights, gradient])),
    weights,
  );
  const steps = fuse({ ...makeSchedule(builder.build()), sampleBlocks: { batch, samples: 4, sums: true } });
  assert.is(steps.length, 1);
  const [step] = steps;
  assert.equal(
    step.run?.steps.map(({ name }) => name),
    ["tanh", "relu", "convolution2dWeightGradient + subtract"],
  );
  assert.is(step.writes.length, 1);
  const { nests, scratch } = lowerStep(step);
  const axes = nests.map(({ loops }) => loops.map(({ axis, parallel }) => [axis.name, axis.extent, parallel]));
  assert.equal(axes[0], [["part", 2, true]]);
  assert.equal(
    nests[0].inside?.map(({ name }) => name),
    ["zeros", step.name],
  );
  // The last nest puts the two parts' sums together, and both into the weights.
  assert.match(printKernel({ name: "", scratch, nests: nests.slice(1) }), /subtract\(%\d+\[\w+\], add\(scratch1/);
  assert.equal(scratch[1], { bytes: 2 * 4 * batch * 2 * 9, perThread: false, sums: batch * 2 * 9 });
});

test("what comes of sums is not seen by the steps that make them", () => {
  const builder = new GraphBuilder(operatorTable, "test");
  const x = builder.input("x", { shape: [batch, 4], dtype: "float32" }, "data");
  const y = builder.apply("tanh", [x]);
  const total = builder.apply("sum", [y], { axes: [0] });
  builder.output("y", builder.apply("softmax", [builder.apply("addBias", [y, total], { axis: 1 })]));
  const steps = fuse({ ...makeSchedule(builder.build()), sampleBlocks: { batch, samples: 4, sums: true } });
  const found = steps.map(({ run, name }) => run?.steps.map((step) => step.name) ?? name);
  const [first] = found.filter((one) => one.includes("sum") || String(one).includes("sum"));
  assert.ok(!String(first).includes("addBias"), JSON.stringify(found));
});

test("weights larger than a block's own numbers are not gone through once a block", () => {
  const names = (inner: number): readonly (string | undefined)[] =>
    stepsOf(({ builder, data, weights }) => {
      const x = builder.apply("softmax", [data(batch, 16)]);
      return builder.apply("softmax", [builder.apply("matmul", [x, weights(16, inner)])]);
    }).map(({ run }) => run?.steps.map(({ name }) => name).join());
  assert.equal(names(2), ["softmax,matmul,softmax"]);
  assert.equal(names(16), [undefined, undefined, undefined]);
});

test("a batch that is no whole number of blocks is refused", () => {
  const builder = new GraphBuilder(operatorTable, "test");
  builder.output("y", builder.apply("relu", [builder.input("x", { shape: [8], dtype: "float32" }, "data")]));
  const ordered = { ...makeSchedule(builder.build()), sampleBlocks: { batch: 8, samples: 3 } };
  assert.throws(() => fuse(ordered), /sample blocks: a batch must be whole blocks, got 8 samples in blocks of 3/);
});

test.run();

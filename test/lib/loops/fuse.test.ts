import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { GraphBuilder, type OperatorGraph, type Value } from "../../../lib/ir/index.ts";
import { fuse, separate } from "../../../lib/loops/index.ts";
import { crossEntropy, dense, meanSquaredError, type Optimizer, relu, sequential, sgd } from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { trainingGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("fusion");

const float = (...shape: number[]) => ({ shape, dtype: "float32" }) as const;

function namesOf(graph: OperatorGraph): string[] {
  return fuse(makeSchedule(graph)).map((step) => step.name);
}

function training(optimizer: Optimizer, loss = crossEntropy()): OperatorGraph {
  const model = sequential([dense(8), relu(), dense(3)], { input: [5], seed: 1 });
  return trainingGraph(model, optimizer, { batch: 4, loss });
}

/** A graph from a function that builds it. */
function graph(build: (builder: GraphBuilder) => void): OperatorGraph {
  const builder = new GraphBuilder(operatorTable, "test");
  build(builder);
  return builder.build();
}

test("a convolution adds its bias and applies its activation before anything is stored; a concatenation stands alone", () => {
  const names = namesOf(
    graph((builder) => {
      const x = builder.input("x", float(2, 3, 6, 6), "data");
      const maps = builder.apply("convolution2d", [x, builder.input("w", float(4, 3, 3, 3), "data")]);
      const biased = builder.apply("addBias", [maps, builder.input("b", float(4), "data")], { axis: 1 });
      const active = builder.apply("relu", [biased]);
      builder.output("y", builder.apply("negate", [builder.apply("concat", [active, active], { axis: 1 })]));
    }),
  );
  assert.equal(names, ["convolution2d + addBias + relu", "concat", "negate"]);
});

test("a training step of two layers takes nine steps, and no gradient of a matrix is ever stored", () => {
  assert.equal(namesOf(training(sgd({ rate: 0.1 }))), [
    "matmul + addBias + relu",
    "matmul + addBias",
    "crossEntropy + crossEntropyGradient",
    "sum + scale",
    "sum + multiply + subtract",
    "matmul + reluGradient",
    "matmul + multiply + subtract",
    "sum + multiply + subtract",
    "matmul + multiply + subtract",
  ]);
});

test("momentum is updated where the gradient is made", () => {
  const steps = fuse(makeSchedule(training(sgd({ rate: 0.1, momentum: 0.9 }))));
  const updates = steps.filter(({ operations }) => operations.some(({ phase }) => phase === "update"));
  assert.is(updates.length, 4);
  for (const { writes, name } of updates) assert.is(writes.length, 2, `${name} writes weight and velocity alone`);
});

test("the squared error and its gradient are computed where the outputs are", () => {
  const names = namesOf(training(sgd({ rate: 0.1 }), meanSquaredError()));
  assert.ok(names.includes("matmul + addBias + subtract + square + multiply + scale"), names.join("; "));
});

test("a sum takes in the functions of single elements that only it needs", () => {
  const names = namesOf(
    graph((builder) => {
      const x = builder.input("x", float(4, 6), "data");
      builder.output("y", builder.apply("sum", [builder.apply("square", [builder.apply("exp", [x])])], { axes: [1] }));
    }),
  );
  assert.equal(names, ["exp + square + sum"]);
});

/** Steps of: y = exp(x), the product of y with something, what comes between, the product's sum, what comes after. */
function aroundSum(
  between: (builder: GraphBuilder, y: Value, other: Value) => Value,
  after: (builder: GraphBuilder, y: Value, other: Value) => Value,
): string[] {
  return namesOf(
    graph((builder) => {
      const x = builder.input("x", float(4, 4), "data");
      const other = builder.apply("matmul", [x, x]);
      const y = builder.apply("exp", [x]);
      const product = builder.apply("multiply", [y, other]);
      builder.output("z", between(builder, y, other));
      builder.output("s", builder.apply("sum", [product], { axes: [0] }));
      builder.output("w", after(builder, y, other));
    }),
  );
}

test("what only a later sum needs is made there if its operands are kept anyway, and stored nowhere", () => {
  const matmul = (builder: GraphBuilder, y: Value, other: Value): Value => builder.apply("matmul", [y, other]);
  assert.equal(aroundSum(matmul, matmul), ["matmul", "exp", "matmul", "multiply + sum", "matmul"]);
  // Then one operand has to wait instead of the product.
  const square = (builder: GraphBuilder, y: Value): Value => builder.apply("matmul", [y, y]);
  assert.equal(aroundSum(matmul, square), ["matmul", "exp", "matmul", "multiply + sum", "matmul"]);
});

test("what a later sum needs is made early where two operands would have to wait for it", () => {
  const matmul = (builder: GraphBuilder, y: Value, other: Value): Value => builder.apply("matmul", [y, other]);
  const nothing = (builder: GraphBuilder): Value => builder.apply("full", [], { ...float(4, 4), value: 1 });
  assert.equal(aroundSum(matmul, nothing).slice(0, 4), ["matmul", "exp + multiply", "matmul", "sum"]);
});

test("every operation that is no view is in a step, after the steps that make its operands", () => {
  const schedule = makeSchedule(training(sgd({ rate: 0.1, momentum: 0.9 })));
  for (const steps of [fuse(schedule), separate(schedule)]) {
    const executed = new Set(steps.flatMap((step) => step.operations));
    for (const operation of schedule.graph.operations) {
      assert.ok(operation.operator === "reshape" || executed.has(operation), operation.operator);
    }
    const stored = new Set(schedule.graph.inputs.map(({ value }) => value.id));
    for (const { reads, writes, name } of steps) {
      for (const { id } of reads) assert.ok(stored.has(id), `${name} reads %${id} before it is stored`);
      for (const { id } of writes) stored.add(id);
    }
  }
});

test("an update does not move above a step that still reads the old weight", () => {
  const names = namesOf(
    graph((builder) => {
      const x = builder.input("x", float(4, 4), "data");
      const w = builder.input("w", float(4, 4), "parameter");
      const gradient = builder.apply("matmul", [x, x]);
      // Comes after the gradient, and must see the weight as it was.
      builder.output("y", builder.apply("matmul", [x, w]));
      builder.inPhase("update", "", () => builder.output("w", builder.apply("subtract", [w, gradient]), w));
    }),
  );
  assert.equal(names, ["matmul", "matmul", "subtract"]);
});

test("what a product reads is not overwritten by the step in which the product is", () => {
  const steps = fuse(
    makeSchedule(
      graph((builder) => {
        const x = builder.input("x", float(4, 4), "data");
        const w = builder.input("w", float(4, 4), "parameter");
        const product = builder.apply("matmul", [x, w]);
        builder.inPhase("update", "", () => builder.output("w", builder.apply("subtract", [w, product]), w));
      }),
    ),
  );
  assert.equal(
    steps.map((step) => step.name),
    ["matmul", "subtract"],
  );
});

test("a function does not move below the step that overwrites what it reads", () => {
  const names = namesOf(
    graph((builder) => {
      const w = builder.input("w", float(4, 4), "parameter");
      const x = builder.input("x", float(4, 4), "data");
      const negated = builder.apply("negate", [w]);
      builder.output("y", builder.apply("sum", [negated], { axes: [0] }));
      // The compiler puts it right after the last operation that reads the old weight: between the other two.
      builder.inPhase("update", "", () => builder.output("w", builder.apply("subtract", [w, x]), w));
    }),
  );
  assert.equal(names, ["negate", "subtract", "sum"]);
});

test("a value that a later step needs is stored although it was fused", () => {
  const steps = fuse(
    makeSchedule(
      graph((builder) => {
        const x = builder.input("x", float(4, 4), "data");
        const y = builder.apply("exp", [x]);
        builder.output("z", builder.apply("relu", [builder.apply("negate", [y])]));
        builder.output("p", builder.apply("matmul", [y, y]));
      }),
    ),
  );
  assert.equal(
    steps.map(({ name, writes }) => [name, writes.length]),
    [
      ["exp + negate + relu", 2],
      ["matmul", 1],
    ],
  );
});

test("constants are computed where they are used, and stored only if they go outside", () => {
  const steps = fuse(
    makeSchedule(
      graph((builder) => {
        const x = builder.input("x", float(4, 4), "data");
        const three = builder.apply("scale", [builder.apply("full", [], { ...float(4, 4), value: 6 })], {
          factor: 0.5,
        });
        builder.output("y", builder.apply("multiply", [x, three]));
        builder.output("c", builder.apply("full", [], { ...float(2), value: 6 }));
      }),
    ),
  );
  assert.equal(
    steps.map(({ name, reads }) => [name, reads.length]),
    [
      ["multiply", 1],
      ["full", 0],
    ],
  );
});

test.run();

import * as assert from "uvu/assert";
import { GraphBuilder, gradients, type OperatorGraph, parseGraph, printGraph, verify } from "../../../lib/ir/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { trainingGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("operator graphs");

function sample(): OperatorGraph {
  const layers = [nn.flatten(), nn.dense(5), nn.tanh(), nn.dense(3)];
  const model = nn.sequential(layers, { input: [2, 2], name: 'a "quoted" name' });
  return trainingGraph(model, nn.sgd({ rate: 0.1, momentum: 0.9 }), { batch: 4, loss: nn.crossEntropy() });
}

test("a graph survives printing and parsing", () => {
  const graph = sample();
  const text = printGraph(graph);
  assert.equal(parseGraph(text), graph);
  assert.is(printGraph(parseGraph(text)), text);
});

test("attributes of every kind survive printing and parsing", () => {
  const value = { id: 0, type: { shape: [], dtype: "float32" } } as const;
  const attributes = {
    a: -0,
    b: Number.POSITIVE_INFINITY,
    c: 1e-30,
    d: [1, 2],
    e: [],
    f: "x, }",
    g: false,
    h: Number.NaN,
  };
  const operation = {
    operator: "made",
    inputs: [],
    attributes,
    outputs: [value],
    phase: "update",
    layer: "a/b",
  } as const;
  const graph: OperatorGraph = { name: "odd", inputs: [], operations: [operation], outputs: [] };
  assert.equal(parseGraph(printGraph(graph)), graph);
});

test("text that is not a graph is refused with line and column", () => {
  const lines = printGraph(sample()).split("\n");
  const broken = (line: number, change: (text: string) => string): string =>
    lines.map((text, index) => (index === line ? change(text) : text)).join("\n");
  const product = lines.findIndex((text) => text.includes("matmul"));
  assert.throws(() => parseGraph(""), "expected the word graph");
  assert.throws(() => parseGraph(broken(1, (text) => text.replace("float32", "float33"))), "(line 2, column ");
  assert.throws(() => parseGraph(broken(product, (text) => text.replace("(%", "(%99"))), "a value defined above");
  assert.throws(() => parseGraph(broken(product, (text) => `${text} more`)), "expected the end of the line, got  more");
});

test("a sound graph has no problems", () => {
  assert.equal(verify(sample(), operatorTable), []);
});

test("the verifier finds each kind of unsoundness", () => {
  const graph = sample();
  const [first, ...others] = graph.operations;
  const expect = (changed: Partial<OperatorGraph>, said: string): void => {
    const problems = verify({ ...graph, ...changed }, operatorTable);
    assert.ok(
      problems.some((problem) => problem.includes(said)),
      `${said} is not in:\n${problems.join("\n")}`,
    );
  };
  expect({ operations: [...others, first] }, "values must be defined before their use");
  expect({ operations: [first, first, ...others] }, "values must be defined once");
  expect({ operations: [{ ...first, operator: "invented" }, ...others] }, "operators must be known, got invented");
  expect({ operations: [{ ...first, attributes: { shape: [3] } }, ...others] }, "the number of elements must stay");
  const wrong = { ...first.outputs[0], type: { shape: [16], dtype: "float32" } } as const;
  expect(
    { operations: [{ ...first, outputs: [wrong] }, ...others] },
    "outputs must have the types float32[4,4], got float32[16]",
  );
  const [loss, ...updates] = graph.outputs;
  expect({ outputs: [{ ...loss, updates: graph.inputs[1].value }, ...updates] }, "an update must keep the type");
  expect({ outputs: [{ ...loss, updates: loss.value }, ...updates] }, "only inputs can be updated");
});

test("operations that need each other in a circle are named, with their layers, and not what merely hangs on them", () => {
  const value = (id: number) => ({ id, type: { shape: [2], dtype: "float32" } }) as const;
  const unary = (operator: string, from: number, to: number, layer: string) =>
    ({ operator, inputs: [value(from)], attributes: {}, outputs: [value(to)], phase: "forward", layer }) as const;
  const sum = { ...unary("add", 0, 1, "a"), inputs: [value(0), value(3)] };
  const graph: OperatorGraph = {
    name: "circular",
    inputs: [{ name: "x", value: value(0), role: "data" }],
    operations: [sum, unary("relu", 1, 2, "b"), unary("tanh", 2, 3, "c"), unary("exp", 3, 4, "d")],
    outputs: [{ name: "y", value: value(4), updates: null }],
  };
  assert.equal(verify(graph, operatorTable), [
    "graph: values must be defined before their use, got %3 (operation 0, add in layer a)",
    "graph: operations must not need each other's results in a circle, got relu in layer b → tanh in layer c → add in layer a → relu in layer b; carry a value to the next step as a state instead",
  ]);
  assert.throws(() => parseGraph(printGraph(graph)), "a value defined above");
});

test("gradients go to where a value is used more than once", () => {
  const builder = new GraphBuilder(operatorTable, "shared");
  const x = builder.input("x", { shape: [], dtype: "float64" }, "parameter");
  const loss = builder.apply("multiply", [builder.apply("add", [x, x]), x]);
  const [gradient] = gradients(builder, loss, [x]);
  builder.output("gradient", gradient);
  assert.equal(verify(builder.build(), operatorTable), []);
  assert.is(builder.operations.filter((operation) => operation.operator === "add").length, 3);
});

test("a gradient of a gradient is a gradient", () => {
  const builder = new GraphBuilder(operatorTable, "second order");
  const x = builder.input("x", { shape: [3], dtype: "float64" }, "parameter");
  const cube = builder.apply("multiply", [builder.apply("square", [x]), x]);
  const [first] = gradients(builder, builder.apply("sum", [cube], { axes: [0] }), [x]);
  const [second] = gradients(builder, builder.apply("sum", [first], { axes: [0] }), [x]);
  builder.output("second", second);
  assert.equal(verify(builder.build(), operatorTable), []);
});

test("a loss that is no scalar, and one that does not depend on what is wanted, are refused", () => {
  const builder = new GraphBuilder(operatorTable, "refused");
  const x = builder.input("x", { shape: [3], dtype: "float32" }, "parameter");
  const other = builder.input("other", { shape: [3], dtype: "float32" }, "parameter");
  const loss = builder.apply("sum", [x], { axes: [0] });
  assert.throws(() => gradients(builder, x, [x]), "the loss must be a scalar of a float dtype, got float32[3];");
  const errors = builder.inPhase("forward", "errors1", () => builder.apply("square", [x]));
  assert.throws(
    () => gradients(builder, errors, [x]),
    "the loss must be a scalar of a float dtype, got float32[3] (square in layer errors1); reduce it with sum or mean",
  );
  assert.throws(() => gradients(builder, loss, [other]), "the loss must depend on every wanted value");
});

test("unknown operators and names used twice are refused while building", () => {
  const builder = new GraphBuilder(operatorTable, "refused");
  const x = builder.input("x", { shape: [3], dtype: "float32" }, "data");
  assert.throws(() => builder.apply("conv9d", [x]), "operators must be known, got conv9d; known are negate, exp");
  assert.throws(() => builder.input("x", { shape: [], dtype: "float32" }, "data"), 'got "x" twice');
});

test.run();

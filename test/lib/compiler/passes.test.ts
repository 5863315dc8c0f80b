import * as assert from "uvu/assert";
import { makeSchedule, type Pass, pipeline, type Schedule, storageOf } from "../../../lib/compiler/index.ts";
import { referenceEngine } from "../../../lib/engine/index.ts";
import {
  GraphBuilder,
  gradients,
  type OperatorGraph,
  parseGraph,
  printGraph,
  type Value,
  verify,
} from "../../../lib/ir/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { type HostTensor, type Random, random } from "../../../lib/tensor/index.ts";
import { evaluate } from "../../support/evaluate.ts";
import { integer } from "../../support/operator-samples.ts";
import { drawInput } from "../../support/random-inputs.ts";
import { suite } from "../../support/suite.ts";

const test = suite("compiler passes");

const pass = (name: string): Pass => pipeline.find((candidate) => candidate.name === name) as Pass;
const start = (text: string): Schedule => ({ graph: parseGraph(text), storage: new Map() });
const operatorsOf = ({ graph }: Schedule): string[] => graph.operations.map((operation) => operation.operator);

/** A random graph of element-wise operations, products and views, with weights that are updated. */
function randomGraph(source: Random): { graph: OperatorGraph; inputs: Map<string, HostTensor> } {
  const builder = new GraphBuilder(operatorTable, "random");
  const inputs = new Map<string, HostTensor>();
  const n = integer(source, 2, 4);
  const input = (name: string, role: "data" | "parameter" | "state"): Value => {
    const tensor = drawInput({ shape: [n, n], low: -1, high: 1 }, "float64", source);
    inputs.set(name, tensor);
    return builder.input(name, tensor, role);
  };
  const parameters = [input("a", "parameter"), input("b", "parameter")];
  const state = input("s", "state");
  const values: Value[] = [input("x", "data"), ...parameters, state];
  const any = (): Value => values[integer(source, 0, values.length - 1)];
  const unary = ["relu", "tanh", "square", "negate", "sigmoid"];
  const binary = ["add", "multiply", "subtract", "matmul", "maximum"];
  for (let count = integer(source, 3, 14); count > 0; count--) {
    const kind = source.nextUniform();
    if (kind < 0.35) values.push(builder.apply(unary[integer(source, 0, 4)], [any()]));
    else if (kind < 0.8) values.push(builder.apply(binary[integer(source, 0, 4)], [any(), any()]));
    else if (kind < 0.9) {
      const flat = builder.apply("reshape", [any()], { shape: [n * n] });
      values.push(builder.apply("reshape", [builder.apply("tanh", [flat])], { shape: [n, n] }));
    } else values.push(builder.apply("transpose", [any()], { permutation: [1, 0] }));
  }
  const last = values[values.length - 1];
  const loss = builder.apply(
    "sum",
    [builder.apply("tanh", [builder.apply("add", [last, builder.apply("add", parameters)])])],
    { axes: [0, 1] },
  );
  builder.output("loss", loss);
  const slopes = gradients(builder, loss, parameters);
  builder.inPhase("update", "", () => {
    const momentum = builder.apply("add", [builder.apply("scale", [state], { factor: 0.9 }), slopes[0]]);
    builder.output("a", builder.apply("subtract", [parameters[0], momentum]), parameters[0]);
    builder.output("s", momentum, state);
    // Now and then an update that cannot be made in place, a swap, or a value that goes outside twice.
    const odd = source.nextUniform();
    if (odd < 0.25) builder.output("b", parameters[0], parameters[1]);
    else if (odd < 0.5) builder.output("b", momentum, parameters[1]);
    else builder.output("b", builder.apply("subtract", [parameters[1], slopes[1]]), parameters[1]);
    if (odd > 0.8) builder.output("old b", parameters[1]);
    if (odd > 0.9) builder.output("last", last);
  });
  return { graph: builder.build(), inputs };
}

test("no pass changes a bit of any result, nor leaves an unsound graph, on random graphs", async () => {
  const engine = referenceEngine();
  for (let seed = 1; seed <= 250; seed++) {
    const { graph, inputs } = randomGraph(random(seed));
    const expected = await evaluate(graph, inputs, { engine, passes: [] });
    makeSchedule(graph, pipeline, ({ name }, _, after) => {
      assert.equal(verify(after.graph, operatorTable), [], `seed ${seed}, after ${name}`);
    });
    const got = await evaluate(graph, inputs, { engine });
    for (const [name, data] of expected) {
      assert.equal([...(got.get(name) ?? [])], [...data], `seed ${seed}, output ${name}\n${printGraph(graph)}`);
    }
  }
});

test("updated inputs hold the next value after a run, also where values are swapped", () => {
  const text = `graph "swap"
%0 = parameter "a" : float32[2]
%1 = parameter "b" : float32[2]
output "a" = %1 updates %0
output "b" = %0 updates %1`;
  const engine = referenceEngine();
  const execution = engine.load(engine.compile(makeSchedule(parseGraph(text))));
  if (execution instanceof Promise) throw new Error("the reference engine loads at once");
  execution.input("a").set([1, 2]);
  execution.input("b").set([3, 4]);
  execution.run();
  assert.equal([...execution.input("a")], [3, 4]);
  assert.equal([...execution.input("b")], [1, 2]);
});

test("dead code: what no output needs is dropped", () => {
  const before = start(`graph "g"
%0 = data "x" : float32[2]
%1 = exp(%0) : float32[2] @ forward ""
%2 = tanh(%0) : float32[2] @ forward ""
%3 = relu(%1) : float32[2] @ forward ""
output "y" = %3`);
  assert.equal(operatorsOf(pass("dead code").run(before)), ["exp", "relu"]);
});

test("simplify: constants are computed and identities vanish", () => {
  const before = start(`graph "g"
%0 = data "x" : float32[4]
%1 = full() {shape: [], dtype: "float32", value: 3} : float32[] @ backward ""
%2 = scale(%1) {factor: 0.5} : float32[] @ backward ""
%3 = broadcast(%2) {shape: [4], axes: []} : float32[4] @ backward ""
%4 = scale(%0) {factor: 1} : float32[4] @ backward ""
%5 = multiply(%4, %3) : float32[4] @ backward ""
output "y" = %5`);
  const after = pass("dead code").run(pass("simplify").run(before));
  assert.equal(operatorsOf(after), ["full", "multiply"]);
  assert.is(after.graph.operations[0].attributes.value, 1.5);
  assert.is(after.graph.operations[1].inputs[0].id, 0);
});

test("early update: a weight is updated as soon as its old value is no longer read", () => {
  const before = start(`graph "g"
%0 = parameter "w" : float32[2]
%1 = data "x" : float32[2]
%2 = multiply(%0, %1) : float32[2] @ forward ""
%3 = tanh(%2) : float32[2] @ backward ""
%4 = multiply(%3, %0) : float32[2] @ backward ""
%5 = exp(%4) : float32[2] @ backward ""
%6 = subtract(%0, %3) : float32[2] @ update ""
output "y" = %5
output "w" = %6 updates %0`);
  const after = pass("early update").run(before);
  assert.equal(operatorsOf(after), ["multiply", "tanh", "multiply", "subtract", "exp"]);
});

test("early update: what needs no gradient waits for who uses it", () => {
  const before = start(`graph "g"
%0 = parameter "w" : float32[2]
%1 = state "v" : float32[2]
%2 = exp(%0) : float32[2] @ forward ""
%3 = tanh(%2) : float32[2] @ backward ""
%4 = exp(%3) : float32[2] @ backward ""
%5 = scale(%1) {factor: 0.9} : float32[2] @ update ""
%6 = add(%5, %3) : float32[2] @ update ""
output "y" = %4
output "v" = %6 updates %1`);
  assert.equal(operatorsOf(pass("early update").run(before)), ["exp", "scale", "tanh", "add", "exp"]);
});

test("in place: an operand that dies gives its storage, one that lives on does not, weights only to their update", () => {
  const schedule = pass("in place").run(
    start(`graph "g"
%0 = parameter "w" : float32[2]
%1 = data "x" : float32[2]
%2 = multiply(%0, %1) : float32[2] @ forward ""
%3 = tanh(%2) : float32[2] @ forward ""
%4 = relu(%3) : float32[2] @ forward ""
%5 = add(%4, %3) : float32[2] @ backward ""
%6 = subtract(%0, %5) : float32[2] @ update ""
output "w" = %6 updates %0`),
  );
  assert.is(storageOf(schedule, 2), 2, "neither weight nor data may be overwritten by a product");
  assert.is(storageOf(schedule, 3), 2);
  assert.is(storageOf(schedule, 4), 4, "tanh's result is still needed");
  assert.is(storageOf(schedule, 6), 0);
});

test.run();

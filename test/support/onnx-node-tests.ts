import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeSchedule } from "../../lib/compiler/index.ts";
import { referenceEngine, wasmEngine } from "../../lib/engine/index.ts";
import { type Constant, readConstant } from "../../lib/import/onnx/constant.ts";
import { emitNetwork } from "../../lib/import/onnx/emit.ts";
import { type Network, readNetwork } from "../../lib/import/onnx/network.ts";
import { constantOperand, type Operand, valueOperand } from "../../lib/import/onnx/operand.ts";
import { readMessage } from "../../lib/import/onnx/protobuf.ts";
import { rules } from "../../lib/import/onnx/rules/index.ts";
import { modelFields, tensorFields } from "../../lib/import/onnx/schema.ts";
import { GraphWeights, Inventory } from "../../lib/import/onnx/weights.ts";
import { GraphBuilder } from "../../lib/ir/index.ts";
import { operatorTable } from "../../lib/ops/index.ts";
import { decodeHalf, encodeHalf, formatShape, sameShape } from "../../lib/tensor/index.ts";

// The node tests of the onnx package, as test/fixtures/onnx/node_tests.py writes them: a model of one node, or of a
// function's body, its inputs, and the outputs that there must be.

/** What became of one case. */
export interface NodeTestResult {
  readonly name: string;
  /** The operators of its model. */
  readonly operators: readonly string[];
  /**
   * `absent`: a node has no rule; `refused`: a rule says what it cannot do; `wrong`: other numbers came out; `near`: those of
   * a body in 16 bits, farther off than the suite allows, but by a few steps of the format.
   */
  readonly outcome: "passed" | "absent" | "refused" | "near" | "wrong";
  /** Why, where it did not pass. */
  readonly reason: string;
}

interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/** What node_tests.py has written into a folder. */
export interface NodeTests {
  readonly onnx: string;
  readonly cases: Readonly<Record<string, Tolerance>>;
  readonly leftOut: Readonly<Record<string, string>>;
}

export function readNodeTests(folder: string): NodeTests {
  return JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
}

/** Runs one case: as it stands on the engine of notebooks, and on the reference engine. */
export async function runNodeTest(folder: string, name: string, tolerance: Tolerance): Promise<NodeTestResult> {
  const bytes = new Uint8Array(readFileSync(join(folder, name, "model.onnx")));
  const graph = readMessage(modelFields, bytes, name).graph;
  const operators = [...new Set((graph?.nodes ?? []).map(({ operator }) => operator ?? ""))];
  const result = (outcome: NodeTestResult["outcome"], reason = ""): NodeTestResult => ({
    name,
    operators,
    outcome,
    reason,
  });
  // With another generator than numpy's other elements are dropped.
  if (/^test_training_dropout(_default)?(_mask)?$/.test(name))
    return result("refused", "what is random must come from numpy, got ours");
  const absent = operators.filter((operator) => !Object.hasOwn(rules, operator));
  if (absent.length > 0) return result("absent", absent.join(", "));
  const read = (kind: "input" | "output", index: number): Tensor =>
    readTensor(join(folder, name, `${kind}_${index}.pb`));
  try {
    const given = new Map((graph?.inputs ?? []).map((input, index) => [input.name ?? "", read("input", index)]));
    const wanted = (graph?.outputs ?? []).map((output, index) => ({
      name: output.name ?? "",
      tensor: read("output", index),
    }));
    const network = readNetwork(
      bytes,
      name,
      () => new Uint8Array(),
      () => true,
      wanted.map((output) => output.name),
    );
    const training = network.nodes.some(({ attributes }) => attributes.get("training_mode")?.whole === 1);
    for (const answer of await answers(network, given, training)) {
      for (const [index, { name: output, tensor }] of wanted.entries()) {
        const difference = compare(answer[index], tensor, tolerance);
        if (difference === null) continue;
        // Bodies of functions are calculated in floats and rounded where they say so, the suite's at every step.
        const close = operators.length > 1 && compare(answer[index], tensor, manySteps(tensor, tolerance)) === null;
        return result(close ? "near" : "wrong", `${output}: ${difference}`);
      }
    }
    return result("passed");
  } catch (error) {
    return result("refused", (error as Error).message);
  }
}

interface Tensor {
  readonly constant: Constant;
  readonly type: number;
}

function readTensor(path: string): Tensor {
  const message = readMessage(tensorFields, new Uint8Array(readFileSync(path)), path);
  return { constant: readConstant(message, path, () => new Uint8Array()), type: message.dataType ?? 0 };
}

/**
 * The outputs of a network on both engines. Inputs are data, except those that a rule needs to know beforehand, such as
 * the shape of a `Reshape`: a model has them as initializers.
 */
async function answers(
  network: Network,
  given: ReadonlyMap<string, Tensor>,
  training: boolean,
): Promise<(readonly Constant[])[]> {
  const known = new Set<string>();
  for (;;) {
    try {
      return await answer(network, given, known, training);
    } catch (error) {
      const [, missing] = /input \d+ \("(.*)"\) must be known before data is/.exec((error as Error).message) ?? [];
      if (missing === undefined || known.has(missing) || !given.has(missing)) throw error;
      known.add(missing);
    }
  }
}

async function answer(
  network: Network,
  given: ReadonlyMap<string, Tensor>,
  known: ReadonlySet<string>,
  training: boolean,
): Promise<(readonly Constant[])[]> {
  const builder = new GraphBuilder(operatorTable, "node");
  const wide = [...given.values()].some(({ type }) => type === float64);
  const dtype = wide ? "float64" : "float32";
  const mode = training ? "training" : "inference";
  const inventory = new Inventory();
  const weights = new GraphWeights(builder, mode, dtype, 1, inventory);
  const data = new Map<string, Constant>();
  const operands = new Map<string, Operand>();
  for (const [name, { constant }] of given) {
    if (known.has(name)) {
      operands.set(name, constantOperand(constant));
      continue;
    }
    const type = { shape: constant.shape, dtype: constant.real ? dtype : "int32" } as const;
    operands.set(name, valueOperand(builder.input(`data ${name}`, type, "data")));
    data.set(`data ${name}`, constant);
  }
  const batch = { actual: given.values().next().value?.constant.shape[0] ?? 1, declared: null };
  const outputs = emitNetwork(network, operands, { builder, mode, dtype, batch, weights });
  for (const [index, output] of outputs.entries()) {
    if (output.kind === "value") builder.output(`output ${index}`, output.value);
  }
  for (const { name, constant } of [...inventory.parameters.values(), ...inventory.states.values()]) {
    data.set(name, constant);
  }
  if (outputs.every(({ kind }) => kind === "constant")) {
    return [outputs.map((output) => (output as Operand & { kind: "constant" }).constant)];
  }
  const graph = builder.build();
  const engines = wide ? [referenceEngine()] : [referenceEngine(), wasmEngine({ threads: 1 })];
  const results: (readonly Constant[])[] = [];
  for (const engine of engines) {
    const execution = await engine.load(engine.compile(makeSchedule(graph)));
    for (const { name } of graph.inputs) execution.input(name).set((data.get(name) as Constant).data);
    execution.run();
    const made = outputs.map((output, index): Constant => {
      if (output.kind === "constant") return output.constant;
      const { shape, dtype: own } = output.value.type;
      return { shape, real: own !== "int32", data: Float64Array.from(execution.output(`output ${index}`)) };
    });
    execution.dispose();
    results.push(made);
  }
  return results;
}

/** TensorProto.DataType's numbers. */
const [float16, float64, bfloat16] = [10, 11, 16];

/** A tolerance of four steps of a format of 16 bits, for which rounding at every step may account; others stay. */
function manySteps({ type }: Tensor, { rtol, atol }: Tolerance): Tolerance {
  const step = type === float16 ? 2 ** -10 : type === bfloat16 ? 2 ** -7 : 0;
  return { rtol: Math.max(rtol, 4 * step), atol };
}

/** What differs, as numpy's assert_allclose judges; null if nothing does. Numbers are given in the type that is asked for. */
function compare(made: Constant, { constant, type }: Tensor, { rtol, atol }: Tolerance): string | null {
  if (!sameShape(made.shape, constant.shape)) {
    return `shape ${formatShape(made.shape)} instead of ${formatShape(constant.shape)}`;
  }
  const narrow = type === float16 ? "float16" : type === bfloat16 ? "bfloat16" : null;
  for (const [index, expected] of constant.data.entries()) {
    const own = narrow === null ? made.data[index] : decodeHalf(narrow, encodeHalf(narrow, made.data[index]));
    const same = own === expected || (Number.isNaN(own) && Number.isNaN(expected));
    if (!same && !(Math.abs(own - expected) <= atol + rtol * Math.abs(expected))) {
      return `${own} instead of ${expected} at ${index}`;
    }
  }
  return null;
}

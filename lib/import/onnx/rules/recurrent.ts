import type { Value } from "../../../ir/index.ts";
import { formatShape, type Shape } from "../../../tensor/index.ts";
import type { NodeContext } from "../node-context.ts";
import { type Operand, valueOperand } from "../operand.ts";
import { mostPieces, type Rule } from "./rule.ts";

// Sequences [time, batch, features]; weights have a leading axis for the direction, of which there is one. A graph holds
// every step of time, in layers `step1`, `step2` …, as nn's own recurrent layers do.

/** What distinguishes recurrent operators: how many gates they have, which states they keep, and one step. */
interface Cell {
  readonly gates: number;
  readonly states: number;
  /** The states after a step, from both products [batch, gates · hidden], each with its bias, and the states before. */
  step(node: NodeContext, fromInput: Value, fromHidden: Value, states: readonly Value[]): readonly Value[];
}

const plus = (node: NodeContext, a: Value, b: Value): Value => node.apply("add", [a, b]);
const minus = (node: NodeContext, a: Value, b: Value): Value => node.apply("subtract", [a, b]);
const times = (node: NodeContext, a: Value, b: Value): Value => node.apply("multiply", [a, b]);
const parts = (node: NodeContext, x: Value, count: number): readonly Value[] =>
  node.builder.applyAll("split", [x], { axis: 1, parts: count });

const plain: Cell = {
  gates: 1,
  states: 1,
  step: (node, fromInput, fromHidden) => [node.apply("tanh", [plus(node, fromInput, fromHidden)])],
};

/** Gates in the order input, output, forget, candidate. */
const lstm: Cell = {
  gates: 4,
  states: 2,
  step(node, fromInput, fromHidden, [, memory]) {
    const [input, output, forget, candidate] = parts(node, plus(node, fromInput, fromHidden), 4);
    const gate = (x: Value): Value => node.apply("sigmoid", [x]);
    const kept = times(node, gate(forget), memory);
    const next = plus(node, kept, times(node, gate(input), node.apply("tanh", [candidate])));
    return [times(node, gate(output), node.apply("tanh", [next])), next];
  },
};

/** Gates in the order update, reset, candidate; the reset gate acts behind the product. */
const gru: Cell = {
  gates: 3,
  states: 1,
  step(node, fromInput, fromHidden, [before]) {
    const [updateX, resetX, candidateX] = parts(node, fromInput, 3);
    const [updateH, resetH, candidateH] = parts(node, fromHidden, 3);
    const update = node.apply("sigmoid", [plus(node, updateX, updateH)]);
    const reset = node.apply("sigmoid", [plus(node, resetX, resetH)]);
    const candidate = node.apply("tanh", [plus(node, candidateX, times(node, reset, candidateH))]);
    return [plus(node, candidate, times(node, update, minus(node, before, candidate)))];
  },
};

/** What each cell computes with, by its number of gates. */
const usualFunctions: Readonly<Record<number, string>> = { 1: "Tanh", 3: "Sigmoid,Tanh", 4: "Sigmoid,Tanh,Tanh" };

function checkSettings(node: NodeContext, { gates }: Cell): void {
  const refuse = (rule: string, got: string): never => node.fail(rule, got, "build the model without it");
  if (node.text("direction", "forward") !== "forward")
    refuse("the direction must be forward", node.text("direction", ""));
  const functions = node.texts("activations");
  if (functions.length > 0 && functions.join() !== usualFunctions[gates]) {
    refuse(`activations must be ${usualFunctions[gates]}`, functions.join());
  }
  if (node.node.attributes.has("clip")) refuse("cells must not be clipped", `clip ${node.float("clip", 0)}`);
  if (node.whole("layout", 0) !== 0) refuse("layout must be 0", String(node.whole("layout", 0)));
  if (node.whole("input_forget", 0) !== 0) refuse("input_forget must be 0", "1");
  if (gates === 3 && node.whole("linear_before_reset", 0) === 0) refuse("linear_before_reset must be 1", "0");
  if (node.has(4)) refuse("sequences must be of one length", "sequence_lens");
  if (gates === 4 && node.has(7)) refuse("gates must not see the memory", "peepholes");
}

function recurrent(cell: Cell): Rule {
  return (node): readonly Operand[] => {
    checkSettings(node, cell);
    const x = node.value(0);
    const [inputWeight, hiddenWeight] = [node.value(1), node.value(2)];
    const wide = inputWeight.type.shape[1];
    const hidden = hiddenWeight.type.shape[2];
    const [time, batch, features] = x.type.shape;
    const shapes = [x, inputWeight, hiddenWeight].map((value) => formatShape(value.type.shape)).join(", ");
    if (x.type.shape.length !== 3 || time < 1 || time > mostPieces || wide !== cell.gates * hidden) {
      node.fail(
        `there must be [time, batch, features] of at most ${mostPieces} steps and weights of every gate`,
        shapes,
      );
    }
    const matrix = (weight: Value): Value => node.reshape(weight, weight.type.shape.slice(1));
    const [forInput, forHidden] = [matrix(inputWeight), matrix(hiddenWeight)];
    const biases = node.has(3)
      ? node.builder.applyAll("split", [node.reshape(node.value(3), [2 * wide])], { axis: 0, parts: 2 })
      : null;
    const product = (rows: Value, weight: Value, side: number): Value => {
      const made = node.apply("matmul", [rows, weight], { transposeB: true });
      return biases === null ? made : node.apply("addBias", [made, biases[side]], { axis: 1 });
    };
    // The inputs of all steps are known beforehand, so that one product does for them all.
    const all = product(node.reshape(x, [time * batch, features]), forInput, 0);
    const perStep = node.builder.applyAll("split", [all], { axis: 0, parts: time });
    const begin = (index: number): Value =>
      node.has(index) ? node.reshape(node.value(index), [batch, hidden]) : node.number(0, [batch, hidden]);
    let states: readonly Value[] = Array.from({ length: cell.states }, (_, state) => begin(5 + state));
    const outputs = perStep.map((fromInput, index) =>
      node.builder.inLayer(`step${index + 1}`, () => {
        states = cell.step(node, fromInput, product(states[0], forHidden, 1), states);
        return node.reshape(states[0], [1, 1, batch, hidden]);
      }),
    );
    const whole: Shape = [1, batch, hidden];
    const sequence = outputs.length === 1 ? outputs[0] : node.apply("concat", outputs, { axis: 0 });
    return [sequence, ...states.map((state) => node.reshape(state, whole))].map(valueOperand);
  };
}

/** Rules of operators over time. */
export const recurrentRules: Readonly<Record<string, Rule>> = {
  GRU: recurrent(gru),
  LSTM: recurrent(lstm),
  RNN: recurrent(plain),
};

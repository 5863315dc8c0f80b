import type { Value } from "../../../ir/index.ts";
import { formatShape } from "../../../tensor/index.ts";
import type { NodeContext } from "../node-context.ts";
import { type Operand, valueOperand } from "../operand.ts";
import { mostPieces, type Rule } from "./rule.ts";

// Sequences [time, batch, features]; weights have a leading axis for the direction, of which there is one. A graph holds
// every step of time, in layers `step1`, `step2` …, as nn's own recurrent layers do.

/** The product of states [batch, hidden] with the weights of all gates, or of one, and with its bias. */
type HiddenProduct = (states: Value, gate?: number) => Value;

/** What distinguishes recurrent operators: how many gates they have, which states they keep, and one step. */
interface Cell {
  readonly gates: number;
  readonly states: number;
  /** Whether a step asks for the product of one gate alone. */
  readonly separate?: boolean;
  /** The states after a step, from the input's product [batch, gates · hidden] and the states before. */
  step(node: NodeContext, fromInput: Value, product: HiddenProduct, states: readonly Value[]): readonly Value[];
}

const plus = (node: NodeContext, a: Value, b: Value): Value => node.apply("add", [a, b]);
const minus = (node: NodeContext, a: Value, b: Value): Value => node.apply("subtract", [a, b]);
const times = (node: NodeContext, a: Value, b: Value): Value => node.apply("multiply", [a, b]);
const parts = (node: NodeContext, x: Value, count: number): readonly Value[] =>
  node.builder.applyAll("split", [x], { axis: 1, parts: count });

const plain: Cell = {
  gates: 1,
  states: 1,
  step: (node, fromInput, product, [before]) => [node.apply("tanh", [plus(node, fromInput, product(before))])],
};

/** Gates in the order input, output, forget, candidate. */
const lstm: Cell = {
  gates: 4,
  states: 2,
  step(node, fromInput, product, [before, memory]) {
    const [input, output, forget, candidate] = parts(node, plus(node, fromInput, product(before)), 4);
    const gate = (x: Value): Value => node.apply("sigmoid", [x]);
    const kept = times(node, gate(forget), memory);
    const next = plus(node, kept, times(node, gate(input), node.apply("tanh", [candidate])));
    return [times(node, gate(output), node.apply("tanh", [next])), next];
  },
};

/**
 * Gates in the order update, reset, candidate. The reset gate acts on the states behind their product, as torch and Keras
 * have it, or before it, as in the paper (Cho et al. 2014) and unless a file says otherwise.
 */
const gru = (behind: boolean): Cell => ({
  gates: 3,
  states: 1,
  separate: !behind,
  step(node, fromInput, product, [before]) {
    const [updateX, resetX, candidateX] = parts(node, fromInput, 3);
    const gates = behind ? parts(node, product(before), 3) : [product(before, 0), product(before, 1)];
    const reset = node.apply("sigmoid", [plus(node, resetX, gates[1])]);
    const kept = behind ? times(node, reset, gates[2]) : product(times(node, reset, before), 2);
    const candidate = node.apply("tanh", [plus(node, candidateX, kept)]);
    const update = node.apply("sigmoid", [plus(node, updateX, gates[0])]);
    return [plus(node, candidate, times(node, update, minus(node, before, candidate)))];
  },
});

/** What each cell computes with, by its number of gates. */
const usualFunctions: Readonly<Record<number, string>> = { 1: "Tanh", 3: "Sigmoid,Tanh", 4: "Sigmoid,Tanh,Tanh" };

function checkSettings(node: NodeContext, { gates }: Cell, directions: number): void {
  const refuse = (rule: string, got: string): never => node.fail(rule, got, "build the model without it");
  const functions = node.texts("activations");
  const usual = Array.from({ length: directions }, () => usualFunctions[gates]).join();
  if (functions.length > 0 && functions.join() !== usual) {
    refuse(`activations must be ${usual}`, functions.join());
  }
  if (node.node.attributes.has("clip")) refuse("cells must not be clipped", `clip ${node.float("clip", 0)}`);
  if (node.whole("input_forget", 0) !== 0) refuse("input_forget must be 0", "1");
  if (node.has(4)) refuse("sequences must be of one length", "sequence_lens");
  if (gates === 4 && node.has(7)) refuse("gates must not see the memory", "peepholes");
}

const directionsOf: Readonly<Record<string, readonly ("forward" | "reverse")[]>> = {
  forward: ["forward"],
  reverse: ["reverse"],
  bidirectional: ["forward", "reverse"],
};

/** What one direction makes: the states of every step in the order of time, [batch, hidden] each, and those at its end. */
interface Passed {
  readonly outputs: readonly Value[];
  readonly states: readonly Value[];
}

function recurrent(cell: Cell): Rule {
  return (node): readonly Operand[] => {
    const directions =
      directionsOf[node.text("direction", "forward")] ??
      node.fail("the direction must be forward, reverse or bidirectional", `"${node.text("direction", "")}"`);
    checkSettings(node, cell, directions.length);
    const batchFirst = node.whole("layout", 0) !== 0;
    const swap = (value: Value): Value => (batchFirst ? node.transpose(value, [1, 0, 2]) : value);
    const x = swap(node.value(0));
    const [inputWeight, hiddenWeight] = [node.value(1), node.value(2)];
    const wide = inputWeight.type.shape[1];
    const hidden = hiddenWeight.type.shape[2];
    const [time, batch] = x.type.shape;
    const shapes = [x, inputWeight, hiddenWeight].map((value) => formatShape(value.type.shape)).join(", ");
    const fits = inputWeight.type.shape[0] === directions.length && wide === cell.gates * hidden;
    if (x.type.shape.length !== 3 || time < 1 || time > mostPieces || !fits) {
      node.fail(
        `there must be [time, batch, features] of at most ${mostPieces} steps and weights of every gate and direction`,
        shapes,
      );
    }
    /** The part of a tensor that belongs to one direction, without that axis. */
    const side = (value: Value, direction: number): Value => {
      const { shape } = value.type;
      const one = [1, ...shape.slice(1)];
      const starts = shape.map((_, axis) => (axis === 0 ? direction : 0));
      return node.reshape(
        directions.length === 1 ? value : node.apply("slice", [value], { starts, sizes: one }),
        one.slice(1),
      );
    };
    const begin = (index: number, direction: number): Value =>
      node.has(index) ? side(swap(node.value(index)), direction) : node.number(0, [batch, hidden]);
    const passes = directions.map((direction, index) => {
      const biases = node.has(3)
        ? node.builder.applyAll("split", [side(node.value(3), index)], { axis: 0, parts: 2 })
        : null;
      const weights = [side(inputWeight, index), side(hiddenWeight, index)];
      const states = Array.from({ length: cell.states }, (_, state) => begin(5 + state, index));
      const pass = (): Passed =>
        oneDirection(node, cell, { x, weights, biases, states, backwards: direction === "reverse" });
      return directions.length === 1 ? pass() : node.builder.inLayer(direction, pass);
    });
    const together = (values: readonly Value[], axis: number): Value =>
      values.length === 1 ? values[0] : node.apply("concat", values, { axis });
    const steps = Array.from({ length: time }, (_, step) => {
      const sides = passes.map(({ outputs }) => node.reshape(outputs[step], [1, 1, batch, hidden]));
      return together(sides, 1);
    });
    const all = together(steps, 0);
    const last = Array.from({ length: cell.states }, (_, state) =>
      swap(
        together(
          passes.map(({ states }) => node.reshape(states[state], [1, batch, hidden])),
          0,
        ),
      ),
    );
    // [time, directions, batch, hidden], or with the batch in front.
    const sequence = batchFirst ? node.transpose(all, [2, 0, 1, 3]) : all;
    return [sequence, ...last].map(valueOperand);
  };
}

/** The steps of one direction; the inputs of all are known beforehand, so that one product does for them all. */
function oneDirection(
  node: NodeContext,
  cell: Cell,
  given: {
    readonly x: Value;
    readonly weights: readonly Value[];
    readonly biases: readonly Value[] | null;
    readonly states: readonly Value[];
    readonly backwards: boolean;
  },
): Passed {
  const { x, weights, biases, backwards } = given;
  const [time, batch, features] = x.type.shape;
  const withBias = (rows: Value, weight: Value, bias: Value | undefined): Value => {
    const made = node.apply("matmul", [rows, weight], { transposeB: true });
    return bias === undefined ? made : node.apply("addBias", [made, bias], { axis: 1 });
  };
  const cut = (value: Value | undefined): readonly Value[] =>
    value !== undefined && cell.separate ? node.builder.applyAll("split", [value], { axis: 0, parts: cell.gates }) : [];
  const [gateWeights, gateBiases] = [cut(weights[1]), cut(biases?.[1])];
  const product: HiddenProduct = (rows, gate) =>
    gate === undefined ? withBias(rows, weights[1], biases?.[1]) : withBias(rows, gateWeights[gate], gateBiases[gate]);
  const all = withBias(node.reshape(x, [time * batch, features]), weights[0], biases?.[0]);
  const perStep = node.builder.applyAll("split", [all], { axis: 0, parts: time });
  let { states } = given;
  const outputs: Value[] = [];
  for (let step = 0; step < time; step++) {
    const at = backwards ? time - 1 - step : step;
    states = node.builder.inLayer(`step${step + 1}`, () => cell.step(node, perStep[at], product, states));
    outputs[at] = states[0];
  }
  return { outputs, states };
}

/** Rules of operators over time. */
export const recurrentRules: Readonly<Record<string, Rule>> = {
  GRU: (node) => recurrent(gru(node.whole("linear_before_reset", 0) !== 0))(node),
  LSTM: recurrent(lstm),
  RNN: recurrent(plain),
};

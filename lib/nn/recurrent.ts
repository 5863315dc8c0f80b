import type { GraphBuilder, Value } from "../ir/index.ts";
import { formatShape, full, type Shape } from "../tensor/index.ts";
import { allZeros, chooseInitialiser, type Initialiser, type InitialiserName } from "./initialisers.ts";
import { checkSize, type Layer } from "./layer.ts";

// Layers over sequences [batch, time, features]. They unroll: a graph holds every step of time, in layers `step1`,
// `step2` … below the layer's own, so that schedules, memory and pictures know time.

/** Settings of layers over sequences. */
export interface RecurrentOptions {
  /** Whether the outputs of all steps are given, [batch, time, hidden], and not the last one alone, [batch, hidden]. */
  readonly sequence?: boolean;
  /**
   * After so many steps gradients stop: truncated back-propagation through time (Williams and Peng 1990). Values go on.
   * Not unless told otherwise.
   */
  readonly truncation?: number;
  /**
   * Whether each step multiplies its own input with the weights, where one product does for all steps otherwise. That is
   * slower, but a step then needs nothing but its input and the states before it, so that checkpoints between steps save
   * memory: a thousand steps train in a twentieth of their activations for one more forward pass. Values are the same to
   * the bit; gradients are summed in another order.
   */
  readonly stepwise?: boolean;
  /** How weights begin: a name or a function of one's own; `glorot` unless told otherwise. */
  readonly initialiser?: InitialiserName | Initialiser;
}

/** Settings of an LSTM. */
export interface LstmOptions extends RecurrentOptions {
  /** What the bias of the forget gate begins with; 1 unless told otherwise (Jozefowicz, Zaremba, Sutskever 2015). */
  readonly forgetBias?: number;
}

/** Few words for what cells do. */
function arithmetic(builder: GraphBuilder) {
  const apply =
    (operator: string) =>
    (...operands: readonly Value[]): Value =>
      builder.apply(operator, operands);
  return {
    plus: apply("add"),
    minus: apply("subtract"),
    times: apply("multiply"),
    sigmoid: apply("sigmoid"),
    tanh: apply("tanh"),
    /** The parts of [batch, parts · hidden], each [batch, hidden]. */
    parts: (x: Value, parts: number): readonly Value[] => builder.applyAll("split", [x], { axis: 1, parts }),
  };
}

/** What distinguishes recurrent layers: how many gates they have, what they keep, and one step. */
interface Cell {
  readonly type: string;
  /** Vectors of the hidden width that input and hidden state are each multiplied to. */
  readonly gates: number;
  /** Vectors kept from step to step; the first one is the output. */
  readonly states: number;
  /** How the bias on the side of the input begins. */
  readonly bias: Initialiser;
  /** The states after a step, from both products [batch, gates · hidden] and the states before. */
  step(builder: GraphBuilder, fromInput: Value, fromHidden: Value, states: readonly Value[]): readonly Value[];
}

function recurrent(cell: Cell, hidden: number, options: RecurrentOptions): Layer {
  const { type, gates } = cell;
  const { sequence = false, truncation, stepwise = false, initialiser = "glorot" } = options;
  checkSize(type, "hidden", hidden);
  if (truncation !== undefined) checkSize(type, "truncation", truncation);
  const begin = chooseInitialiser(type, initialiser);
  const wide = gates * hidden;
  return {
    type,
    label: `${type}(${hidden})`,
    build({ builder, parameter, dtype }, input) {
      const { shape } = input.type;
      const [samples, time, features] = shape;
      if (shape.length !== 3 || time < 1) {
        throw new Error(
          `${type}: a sample must be a sequence [time, features], got ${formatShape(shape.slice(1))} (after the batch axis); reshape it first`,
        );
      }
      const inputWeight = parameter("inputWeight", [features, wide], begin);
      const inputBias = parameter("inputBias", [wide], cell.bias);
      const hiddenWeight = parameter("hiddenWeight", [hidden, wide], begin);
      const hiddenBias = parameter("hiddenBias", [wide], allZeros);
      const reshaped = (x: Value, to: Shape): Value => builder.apply("reshape", [x], { shape: to });
      const product = (x: Value, weight: Value, bias: Value): Value =>
        builder.apply("addBias", [builder.apply("matmul", [x, weight]), bias], { axis: 1 });
      const ofInput = (x: Value): Value => product(x, inputWeight, inputBias);
      // The inputs of all steps are known beforehand, so that one product does for them all.
      const all = stepwise
        ? input
        : reshaped(ofInput(reshaped(input, [samples * time, features])), [samples, time, wide]);
      const perStep = builder.applyAll("split", [all], { axis: 1, parts: time });
      const nothing = builder.apply("full", [], { shape: [samples, hidden], dtype, value: 0 });
      let states: readonly Value[] = Array.from({ length: cell.states }, () => nothing);
      const outputs = perStep.map((ofStep, index) =>
        builder.inLayer(`step${index + 1}`, () => {
          if (truncation !== undefined && index > 0 && index % truncation === 0) {
            states = states.map((state) => builder.apply("stopGradient", [state]));
          }
          const fromHidden = product(states[0], hiddenWeight, hiddenBias);
          const fromInput = stepwise
            ? ofInput(reshaped(ofStep, [samples, features]))
            : reshaped(ofStep, [samples, wide]);
          states = cell.step(builder, fromInput, fromHidden, states);
          return sequence ? reshaped(states[0], [samples, 1, hidden]) : states[0];
        }),
      );
      return sequence ? builder.apply("concat", outputs, { axis: 1 }) : outputs[outputs.length - 1];
    },
  };
}

/** h ← tanh(x·W + b + h·U + c) (Elman 1990); hidden · (features + hidden + 2) parameters. */
export function rnn(hidden: number, options: RecurrentOptions = {}): Layer {
  const cell: Cell = {
    type: "rnn",
    gates: 1,
    states: 1,
    bias: allZeros,
    step(builder, fromInput, fromHidden) {
      const { plus, tanh } = arithmetic(builder);
      return [tanh(plus(fromInput, fromHidden))];
    },
  };
  return recurrent(cell, hidden, options);
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber, Cummins 2000), with
 * a bias on each side as torch has it: 4 · hidden · (features + hidden + 2) parameters, gates in the order input, forget,
 * candidate, output.
 */
export function lstm(hidden: number, { forgetBias = 1, ...options }: LstmOptions = {}): Layer {
  if (!Number.isFinite(forgetBias)) {
    throw new Error(`lstm: forgetBias must be a finite number, got ${forgetBias}; try { forgetBias: 1 }`);
  }
  const cell: Cell = {
    type: "lstm",
    gates: 4,
    states: 2,
    bias(shape) {
      const bias = full(shape, 0);
      bias.data.fill(forgetBias, hidden, 2 * hidden);
      return bias;
    },
    step(builder, fromInput, fromHidden, [, memory]) {
      const { plus, times, sigmoid, tanh, parts } = arithmetic(builder);
      const [input, forget, candidate, output] = parts(plus(fromInput, fromHidden), 4);
      const next = plus(times(sigmoid(forget), memory), times(sigmoid(input), tanh(candidate)));
      return [times(sigmoid(output), tanh(next)), next];
    },
  };
  return recurrent(cell, hidden, options);
}

/**
 * Gated recurrent unit (Cho et al. 2014), in the form that torch and cuDNN compute: the reset gate acts behind the
 * product with the hidden state. 3 · hidden · (features + hidden + 2) parameters, gates in the order reset, update,
 * candidate.
 */
export function gru(hidden: number, options: RecurrentOptions = {}): Layer {
  const cell: Cell = {
    type: "gru",
    gates: 3,
    states: 1,
    bias: allZeros,
    step(builder, fromInput, fromHidden, [before]) {
      const { plus, minus, times, sigmoid, tanh, parts } = arithmetic(builder);
      const [resetX, updateX, candidateX] = parts(fromInput, 3);
      const [resetH, updateH, candidateH] = parts(fromHidden, 3);
      const reset = sigmoid(plus(resetX, resetH));
      const update = sigmoid(plus(updateX, updateH));
      const candidate = tanh(plus(candidateX, times(reset, candidateH)));
      // (1 − z) · candidate + z · before.
      return [plus(candidate, times(update, minus(before, candidate)))];
    },
  };
  return recurrent(cell, hidden, options);
}

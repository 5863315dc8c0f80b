import type { GraphBuilder, Value } from "../ir/index.ts";
import { formatShape } from "../tensor/index.ts";
import { allZeros, type Initialiser } from "./initialisers.ts";
import { checkSize, type Layer, stepNumber } from "./layer.ts";

/** Settings of a restricted Boltzmann machine. */
export interface BoltzmannOptions {
  /** Steps of Gibbs sampling from the data: contrastive divergence CD-k; 1 unless told otherwise. */
  readonly steps?: number;
  /** How weights begin; normal with deviation 0.01 unless told otherwise (Hinton 2010, section 8). */
  readonly initialiser?: Initialiser;
}

const small: Initialiser = (shape, random) => random.normal(shape, 0, 0.01);

/** Weights and biases in a graph, and what they make of units. */
function machine(builder: GraphBuilder, weight: Value, visibleBias: Value, hiddenBias: Value) {
  const product = (x: Value, bias: Value, transposeB: boolean): Value =>
    builder.apply("addBias", [builder.apply("matmul", [x, weight], { transposeB }), bias], { axis: 1 });
  const hiddenInputs = (visible: Value): Value => product(visible, hiddenBias, false);
  return {
    hidden: (visible: Value): Value => builder.apply("sigmoid", [hiddenInputs(visible)]),
    visible: (hidden: Value): Value => builder.apply("sigmoid", [product(hidden, visibleBias, true)]),
    /** −b·v − Σ log(1 + e^(c + v·W)): what is low for what the machine finds likely; [batch]. */
    freeEnergy(visible: Value): Value {
      const [samples, count] = visible.type.shape;
      const column = builder.apply("reshape", [visibleBias], { shape: [count, 1] });
      const linear = builder.apply("reshape", [builder.apply("matmul", [visible, column])], { shape: [samples] });
      const rest = builder.apply("sum", [builder.apply("softplus", [hiddenInputs(visible)])], { axes: [1] });
      return builder.apply("negate", [builder.apply("add", [linear, rest])]);
    },
  };
}

/**
 * A restricted Boltzmann machine of binary units, from [batch, visible] (numbers from 0 to 1) to the probabilities of its
 * hidden units, [batch, hidden]. It is trained by contrastive divergence (Hinton 2002): compile it with `ownObjective()`.
 *
 * What it asks to be made small reads as the mean squared error of the reconstruction, which is what people watch, but
 * has the gradient of contrastive divergence: that of the free energy of the data less that of what sampling makes of
 * it, the sample taken for a constant. Hidden units are sampled, visible ones keep their probabilities (Hinton 2010,
 * section 3); the noise follows from the model's seed and the number of the step. `weight` has the shape of a dense
 * layer's, so that trained machines can become the layers of a deep network.
 */
export function boltzmann(hidden: number, { steps = 1, initialiser = small }: BoltzmannOptions = {}): Layer {
  checkSize("boltzmann", "hidden", hidden);
  checkSize("boltzmann", "steps", steps);
  return {
    type: "boltzmann",
    label: `boltzmann(${hidden})`,
    build(context, data) {
      const { builder, mode, dtype, seed, parameter, objective } = context;
      const { shape } = data.type;
      if (shape.length !== 2) {
        throw new Error(
          `boltzmann: a sample must be a vector, got ${formatShape(shape.slice(1))} (after the batch axis); put flatten() before it`,
        );
      }
      const [samples, visible] = shape;
      const weight = parameter("weight", [visible, hidden], initialiser);
      const hiddenBias = parameter("bias", [hidden], allZeros);
      const visibleBias = parameter("visibleBias", [visible], allZeros);
      const units = machine(builder, weight, visibleBias, hiddenBias);
      const probabilities = units.hidden(data);
      const constant = (x: Value): Value => builder.apply("stopGradient", [x]);
      const errorOf = (reconstruction: Value): Value => {
        const difference = builder.apply("subtract", [data, reconstruction]);
        return constant(builder.apply("mean", [builder.apply("square", [difference])], { axes: [1] }));
      };
      if (mode === "inference") {
        objective(errorOf(units.visible(probabilities)));
        return probabilities;
      }
      const step = stepNumber(context);
      const one = builder.apply("full", [], { shape: [], dtype, value: 1 });
      /** 1 where a random number is below the probability. */
      const sample = (chances: Value): Value => {
        const attributes = { shape: [samples, hidden], dtype, seed, stream: context.randomStream() };
        const drawn = builder.apply("uniform", [step], attributes);
        return builder.apply("subtract", [one, builder.apply("greaterOrEqual", [drawn, chances])]);
      };
      let chances = constant(probabilities);
      let dream = data;
      for (let count = 0; count < steps; count++) {
        if (count > 0) chances = units.hidden(dream);
        dream = units.visible(sample(chances));
      }
      const fixed = constant(dream);
      const gap = builder.apply("subtract", [units.freeEnergy(data), units.freeEnergy(fixed)]);
      // The gap less itself is 0, but only one of the two has a gradient.
      const gradientAlone = builder.apply("subtract", [gap, constant(gap)]);
      objective(builder.apply("add", [errorOf(fixed), gradientAlone]));
      return probabilities;
    },
  };
}

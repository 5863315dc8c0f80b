import { type Layer, stepNumber } from "./layer.ts";

/**
 * Drops a share of the elements while training and scales up the others; does nothing when the model answers
 * (Srivastava et al. 2014). Which ones are dropped follows from the model's seed, the layer, the number of the step and
 * the place, so that whatever is computed again comes out the same.
 */
export function dropout(rate = 0.5): Layer {
  if (!(rate >= 0 && rate < 1)) {
    throw new Error(`dropout: the rate must be from 0 to below 1, got ${rate}; try dropout(0.5)`);
  }
  return {
    type: "dropout",
    label: `dropout(${rate})`,
    build(context, input) {
      const { builder, mode, seed } = context;
      if (mode === "inference") return input;
      return builder.apply("dropout", [input, stepNumber(context)], { rate, seed, stream: context.randomStream() });
    },
  };
}

/**
 * Sets a share of the elements to 0 while training, and does nothing when the model answers: what a denoising
 * autoencoder has to make good (Vincent, Larochelle, Bengio, Manzagol 2008). Unlike `dropout` it leaves the others as
 * they are.
 */
export function maskingNoise(share = 0.3): Layer {
  if (!(share >= 0 && share < 1)) {
    throw new Error(`maskingNoise: the share must be from 0 to below 1, got ${share}; try maskingNoise(0.3)`);
  }
  return {
    type: "maskingNoise",
    label: `maskingNoise(${share})`,
    build(context, input) {
      const { builder, mode, dtype, seed } = context;
      if (mode === "inference") return input;
      const attributes = { shape: input.type.shape, dtype, seed, stream: context.randomStream() };
      const drawn = builder.apply("uniform", [stepNumber(context)], attributes);
      const limit = builder.apply("full", [], { shape: [], dtype, value: share });
      return builder.apply("multiply", [input, builder.apply("greaterOrEqual", [drawn, limit])]);
    },
  };
}

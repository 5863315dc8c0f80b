import { mnist } from "../../datasets/index.ts";
import { sliceDataset } from "../../lib/formats/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { compile } from "../../lib/training/index.ts";
import type { Claim, Experiment, Recipe } from "./experiment.ts";

/** A network, and how it is trained here. */
interface Entry {
  readonly recipe: Recipe & { readonly samples: number; readonly epochs: number; readonly batch: number };
  readonly model: (seed: number) => nn.Model;
  readonly optimizer: nn.Optimizer;
  readonly claim: Omit<Claim, "variant" | "figure">;
}

const rate = 0.05;
const epochs = 12;

/** From `rate` down to 0 along half of a cosine (Loshchilov and Hutter 2017, without restarts). */
const cosine = (done: number): number => (rate / 2) * (1 + Math.cos((Math.PI * Math.min(done, epochs)) / epochs));

const common = {
  samples: 60_000,
  epochs,
  batch: 64,
  rate: `${rate}, falling to 0 along half of a cosine`,
  momentum: 0.9,
};

const entries: Readonly<Record<string, Entry>> = {
  today: {
    recipe: { ...common, activation: "relu", pooling: "max", initialiser: "he", decay: 0.0005 },
    model: (seed) => nn.models.lenet5({ activation: "relu", pooling: "max", seed }),
    optimizer: nn.sgd({ rate: cosine, momentum: 0.9, decay: 0.0005 }),
    claim: { target: 0.01, rule: "below", source: "our own limit" },
  },
  "1998": {
    recipe: { ...common, activation: "tanh", pooling: "average", initialiser: "glorot", decay: 0 },
    model: (seed) => nn.models.lenet5({ activation: "tanh", pooling: "average", seed }),
    optimizer: nn.sgd({ rate: cosine, momentum: 0.9 }),
    claim: {
      target: 0.0095,
      rule: "near",
      tolerance: 0.002,
      source: "LeCun et al. 1998, LeNet-5 without distortions",
    },
  },
  // The tutorial takes 200 epochs of 500 samples a step: twice as many steps.
  tutorial: {
    recipe: {
      samples: 50_000,
      epochs: 20,
      batch: 100,
      rate: 0.1,
      layers: "20 and 50 filters of 5 × 5, each pooled by 2, then 500 units",
      activation: "tanh",
      pooling: "max",
      initialiser: "glorot",
    },
    model: (seed) =>
      nn.sequential(
        [
          nn.reshape([1, 28, 28]),
          ...[20, 50].flatMap((filters) => [
            nn.convolution(filters, { kernel: 5, initialiser: "glorot" }),
            nn.maxPool(2),
            nn.tanh(),
          ]),
          nn.flatten(),
          nn.dense(500, { initialiser: "glorot" }),
          nn.tanh(),
          nn.dense(10, { initialiser: "glorot" }),
        ],
        { input: [28, 28], seed, name: "LeNet of the tutorial" },
      ),
    optimizer: nn.sgd({ rate: 0.1 }),
    claim: { target: 0.0092, rule: "near", tolerance: 0.002, source: "the Theano tutorial's LeNet" },
  },
};

/** LeNet-5 and its like on MNIST: how many of the test digits do they get wrong? */
export const experiment: Experiment = {
  name: "lenet5-mnist",
  question: "How many of the 10,000 test digits does LeNet-5 get wrong?",
  variants: Object.fromEntries(
    Object.entries(entries).map(([name, { recipe }]) => {
      const { samples, ...rest } = recipe;
      const digits = samples === 60_000 ? "all" : `the first ${samples.toLocaleString("en")} digits`;
      const data = `${digits} of MNIST, bytes / 255, no distortions; the error is that of the last epoch on the 10,000 test digits`;
      return [name, { data, ...rest } as Recipe];
    }),
  ),
  claims: Object.entries(entries).map(([variant, { claim }]) => ({ variant, figure: "testError", ...claim })),
  seeds: [1, 2, 3, 4, 5],
  async run(variant, seed, checkpoint) {
    const { recipe, model, optimizer } = entries[variant];
    const { train, test } = await mnist();
    const program = compile(model(seed), { batch: recipe.batch, optimizer, threads: 1 });
    const history = await program.fit(sliceDataset(train, 0, recipe.samples), {
      epochs: recipe.epochs,
      validation: test,
      checkpoint: { file: checkpoint, every: 1000, resume: true },
    });
    program.dispose();
    const errors = history.epochs.map(({ validationError }) => validationError as number);
    const losses = history.epochs.map(({ loss }) => loss);
    return {
      figures: { testError: errors[recipe.epochs - 1], trainingLoss: losses[recipe.epochs - 1] },
      curves: { testError: errors, trainingLoss: losses },
    };
  },
};

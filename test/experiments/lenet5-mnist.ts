import { mnist } from "../../datasets/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { compile } from "../../lib/training/index.ts";
import type { Experiment } from "./experiment.ts";

const epochs = 12;
const batch = 64;
const rate = 0.05;

/** From `rate` down to 0 along half of a cosine (Loshchilov and Hutter 2017, without restarts). */
const cosine = (done: number): number => (rate / 2) * (1 + Math.cos((Math.PI * Math.min(done, epochs)) / epochs));

const common = {
  data: "all of MNIST, bytes / 255, no distortions; the error is that of the last epoch on the 10,000 test digits",
  epochs,
  batch,
  rate: `${rate}, falling to 0 along half of a cosine`,
  momentum: 0.9,
};

const decays: Readonly<Record<string, number>> = { today: 0.0005, "1998": 0 };

/** LeNet-5 on all of MNIST: how many of the test digits does it get wrong? */
export const experiment: Experiment = {
  name: "lenet5-mnist",
  question: "How many of the 10,000 test digits does LeNet-5 get wrong after 12 epochs?",
  variants: {
    today: { ...common, activation: "relu", pooling: "max", initialiser: "he", decay: decays.today },
    "1998": { ...common, activation: "tanh", pooling: "average", initialiser: "glorot", decay: decays["1998"] },
  },
  claims: [
    { variant: "today", figure: "testError", target: 0.01, rule: "below", source: "our own limit" },
    {
      variant: "1998",
      figure: "testError",
      target: 0.0095,
      rule: "near",
      tolerance: 0.002,
      source: "LeCun et al. 1998, LeNet-5 without distortions",
    },
  ],
  seeds: [1, 2, 3, 4, 5],
  async run(variant, seed, checkpoint) {
    const { train, test } = await mnist();
    const modern = variant === "today";
    const model = nn.models.lenet5({
      activation: modern ? "relu" : "tanh",
      pooling: modern ? "max" : "average",
      seed,
    });
    const program = compile(model, {
      batch,
      optimizer: nn.sgd({ rate: cosine, momentum: 0.9, decay: decays[variant] }),
    });
    const history = await program.fit(train, {
      epochs,
      validation: test,
      checkpoint: { file: checkpoint, every: 1000, resume: true },
    });
    program.dispose();
    const errors = history.epochs.map(({ validationError }) => validationError as number);
    const losses = history.epochs.map(({ loss }) => loss);
    return {
      figures: { testError: errors[epochs - 1], trainingLoss: losses[epochs - 1] },
      curves: { testError: errors, trainingLoss: losses },
    };
  },
};

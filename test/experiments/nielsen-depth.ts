import { mnist } from "../../datasets/index.ts";
import { sliceDataset } from "../../lib/formats/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { compile } from "../../lib/training/index.ts";
import type { Experiment, Recipe } from "./experiment.ts";

const epochs = 30;
const batch = 10;
const units = 30;
/** Nielsen's λ = 5 over 50,000 samples. */
const decay = 5 / 50_000;

const recipe = (hiddenLayers: number): Recipe => ({
  data: "MNIST's first 50,000 training digits, bytes / 255; the error is that of the last epoch on the other 10,000",
  hiddenLayers,
  unitsPerLayer: units,
  activation: "sigmoid, also of the outputs, with the cross-entropy of each of them",
  epochs,
  batch,
  rate: 0.1,
  decay: `${decay} (Nielsen's λ = 5), here also of biases`,
  initialiser: "normal of deviation 1 / √inputs; biases 0 (Nielsen's are normal)",
});

/** Published accuracies of single runs, by hidden layers. */
const published: Readonly<Record<string, number>> = { one: 0.9648, two: 0.969, three: 0.9657, four: 0.9653 };

/** The sum over the outputs of each one's binary cross-entropy behind a sigmoid: Σ log(1 + eˣ) − x at the label. */
const binaryCrossEntropy: nn.Loss = {
  name: "binary cross-entropy",
  classes: true,
  target: (samples) => ({ shape: [samples], dtype: "int32" }),
  build(builder, output, target) {
    const { shape, dtype } = output.type;
    const label = builder.apply("oneHot", [target], { classes: shape[1], dtype });
    const own = builder.apply("multiply", [output, label]);
    const each = builder.apply("subtract", [builder.apply("softplus", [output]), own]);
    return builder.apply("sum", [each], { axes: [1] });
  },
};

const initialiser: nn.Initialiser = (shape, random) => random.normal(shape, 0, 1 / Math.sqrt(shape[0]));

/** Nielsen, "Neural networks and deep learning" (2015), chapter 5: more sigmoid layers of 30 units hardly help. */
export const experiment: Experiment = {
  name: "nielsen-depth",
  question: "Do two, three or four hidden layers of 30 sigmoid units recognise digits better than one?",
  variants: { one: recipe(1), two: recipe(2), three: recipe(3), four: recipe(4) },
  claims: Object.entries(published).map(([variant, accuracy]) => ({
    variant,
    figure: "error",
    target: Number((1 - accuracy).toFixed(4)),
    rule: "near",
    tolerance: 0.005,
    source: "Nielsen 2015, chapter 5, one run each",
  })),
  seeds: [1, 2, 3, 4, 5],
  async run(variant, seed, checkpoint) {
    const { train } = await mnist();
    const hiddenLayers = ["one", "two", "three", "four"].indexOf(variant) + 1;
    const layers = [
      nn.flatten(),
      ...nn.repeat(hiddenLayers, [nn.dense(units, { initialiser }), nn.sigmoid()]),
      nn.dense(10, { initialiser }),
    ];
    const program = compile(nn.sequential(layers, { input: [28, 28], seed, name: `${hiddenLayers} hidden layers` }), {
      batch,
      loss: binaryCrossEntropy,
      optimizer: nn.sgd({ rate: 0.1, decay }),
      threads: 1,
    });
    const history = await program.fit(sliceDataset(train, 0, 50_000), {
      epochs,
      validation: sliceDataset(train, 50_000, 60_000),
      checkpoint: { file: checkpoint, every: 20_000, resume: true },
    });
    program.dispose();
    const errors = history.epochs.map(({ validationError }) => validationError as number);
    const losses = history.epochs.map(({ loss }) => loss);
    return {
      figures: { error: errors[epochs - 1], trainingLoss: losses[epochs - 1] },
      curves: { error: errors, trainingLoss: losses },
    };
  },
};

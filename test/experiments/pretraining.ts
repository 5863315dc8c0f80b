import { mnist } from "../../datasets/index.ts";
import type { Dataset } from "../../lib/formats/index.ts";
import * as nn from "../../lib/nn/index.ts";
import type { HostTensor } from "../../lib/tensor/index.ts";
import { compile } from "../../lib/training/index.ts";
import type { Claim, Experiment, Recipe } from "./experiment.ts";

/** How the hidden layers begin. */
type Beginning = "random" | "boltzmann" | "denoising" | "relu";

const hiddenLayers = 3;
const units = 1000;
const batch = 100;
const noise = 0.25;
/** Of each layer, without labels. */
const pretrainingEpochs = 6;
const epochs = 10;
const rate = 0.001;

/** From `rate` down to 0 along half of a cosine. */
const cosine = (done: number): number => (rate / 2) * (1 + Math.cos((Math.PI * Math.min(done, epochs)) / epochs));

const beginnings: Readonly<Record<Beginning, string>> = {
  random: "glorot, sigmoid",
  boltzmann: "a stack of Boltzmann machines (CD-1, rate 0.1, momentum 0.5), sigmoid",
  denoising: `a stack of denoising autoencoders (a share of ${noise} masked, Adam at ${rate}), sigmoid`,
  relu: "he, relu",
};

function recipe(beginning: Beginning): Recipe {
  const pretrained = beginning === "boltzmann" || beginning === "denoising";
  return {
    data: "all of MNIST, bytes / 255, first without and then with labels; the error is that of the last epoch on the 10,000 test digits",
    hiddenLayers,
    units,
    epochs,
    batch,
    optimizer: `Adam at ${rate}, falling to 0 along half of a cosine`,
    begins: beginnings[beginning],
    ...(pretrained ? { pretrainingEpochs } : {}),
  };
}

/** The weights of hidden layers by name, layer by layer; each next layer learns from what the one before makes of the data. */
async function pretrain(
  beginning: "boltzmann" | "denoising",
  seed: number,
  data: Dataset,
): Promise<ReadonlyMap<string, HostTensor>> {
  const weights = new Map<string, HostTensor>();
  let samples = data;
  for (let number = 1; number <= hiddenLayers; number++) {
    const input = samples.inputs.shape.slice(1);
    const inputs = input.reduce((product, extent) => product * extent, 1);
    const machine = beginning === "boltzmann";
    const layers = machine
      ? [nn.flatten(), nn.boltzmann(units)]
      : [
          nn.flatten(),
          nn.maskingNoise(noise),
          nn.dense(units, { initialiser: "glorot" }),
          nn.sigmoid(),
          nn.dense(inputs, { initialiser: "glorot" }),
          nn.sigmoid(),
        ];
    const program = compile(nn.sequential(layers, { input, seed: seed + 100 * number, name: `layer ${number}` }), {
      loss: machine ? nn.ownObjective() : nn.reconstruction(),
      optimizer: machine ? nn.sgd({ rate: 0.1, momentum: 0.5 }) : nn.adam({ rate }),
      batch,
      threads: 1,
    });
    await program.fit(samples, { epochs: pretrainingEpochs });
    const source = machine ? "boltzmann1" : "dense1";
    const own = ["weight", "bias"].map((name) => [name, program.parameters.get(`${source}.${name}`)] as const);
    program.dispose();
    const encoder = compile(nn.sequential([nn.flatten(), nn.dense(units), nn.sigmoid()], { input, seed }), {
      loss: nn.ownObjective(),
      batch,
      threads: 1,
    });
    encoder.reset(new Map(own.map(([name, value]) => [`dense1.${name}`, value as HostTensor])));
    for (const [name, value] of own) weights.set(`dense${number}.${name}`, value as HostTensor);
    samples = { ...samples, inputs: await encoder.predict(samples), scale: 1 };
    encoder.dispose();
  }
  return weights;
}

const claim = (beginning: Beginning, target: number, source: string): Claim => ({
  variant: beginning,
  figure: "testError",
  target,
  rule: "near",
  tolerance: 0.003,
  source,
});

/** Hinton, Osindero, Teh 2006 and Vincent et al. 2008 asked it; Erhan et al. 2010 asked why. */
export const experiment: Experiment = {
  name: "pretraining",
  question: "Does pretraining without labels help a network of three hidden layers where every digit has a label?",
  variants: Object.fromEntries(
    (Object.keys(beginnings) as Beginning[]).map((beginning) => [beginning, recipe(beginning)]),
  ),
  claims: [
    claim("denoising", 0.013, "the Theano tutorial's stacked denoising autoencoder"),
    claim("boltzmann", 0.0134, "the Theano tutorial's deep belief network"),
  ],
  seeds: [1, 2, 3],
  async run(variant, seed) {
    const beginning = variant as Beginning;
    const { train, test } = await mnist();
    const activation = beginning === "relu" ? nn.relu : nn.sigmoid;
    const initialiser = beginning === "relu" ? "he" : "glorot";
    const layers = [
      nn.flatten(),
      ...nn.repeat(hiddenLayers, [nn.dense(units, { initialiser }), activation()]),
      nn.dense(10, { initialiser: "glorot" }),
    ];
    const program = compile(nn.sequential(layers, { input: [28, 28], seed, name: variant }), {
      batch,
      optimizer: nn.adam({ rate: cosine }),
      threads: 1,
    });
    if (beginning === "boltzmann" || beginning === "denoising") {
      program.reset(new Map([...program.parameters, ...(await pretrain(beginning, seed, train))]));
    }
    const history = await program.fit(train, { epochs, validation: test });
    program.dispose();
    const errors = history.epochs.map(({ validationError }) => validationError as number);
    const losses = history.epochs.map(({ loss }) => loss);
    return {
      figures: { testError: errors[epochs - 1], trainingLoss: losses[epochs - 1] },
      curves: { testError: errors, trainingLoss: losses },
    };
  },
};

import { mnist } from "../../datasets/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { compile, type Program } from "../../lib/training/index.ts";
import type { Experiment } from "./experiment.ts";

const epochs = 8;
const batch = 1024;
const width = 64;
const few = 9;
const many = 100;
const rate = 0.003;

/** From `rate` down to 0 along half of a cosine. */
const cosine = (done: number): number => (rate / 2) * (1 + Math.cos((Math.PI * Math.min(done, epochs)) / epochs));

const common = {
  data: "all of MNIST, bytes / 255; the error is that of the last epoch on the 10,000 test digits",
  network: `${many} dense layers of ${width}: one at each end, two in each of 49 residual blocks behind layer norm`,
  epochs,
  batch,
  rate: `Adam, ${rate}, falling to 0 along half of a cosine`,
};

const variants = {
  unconstrained: { ...common, memory: "reuse" },
  constrained: {
    ...common,
    memory: `the bytes beyond weights and states that keep-everything takes for ${few} layers`,
  },
};

/** A residual network of so many dense layers: one or two at the ends, two in every block between. */
function network(layers: number, seed: number): nn.Model {
  const blocks = Math.floor((layers - 2) / 2);
  // What the blocks add begins small, so that a hundred layers begin near the identity (Zhang et al., "Fixup", 2019).
  const small: nn.Initialiser = (shape, source) => {
    const weights = nn.he(shape, source);
    for (let index = 0; index < weights.data.length; index++) weights.data[index] /= blocks;
    return weights;
  };
  const block = nn.residual([nn.layerNorm(), nn.dense(width), nn.relu(), nn.dense(width, { initialiser: small })]);
  const odd = layers % 2 === 1 ? [nn.dense(width)] : [];
  return nn.sequential([nn.flatten(), nn.dense(width), ...nn.repeat(blocks, [block]), ...odd, nn.dense(10)], {
    input: [28, 28],
    seed,
    name: `residual network of ${layers} dense layers`,
  });
}

/** Bytes of a program's arena that are always there: weights and the optimiser's states. */
function residentBytes({ memory: { buffers } }: Program): number {
  const resident = buffers.filter(({ category }) => category === "weights" || category === "optimizer");
  return resident.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A hundred layers in the memory of nine: does it train, and to the same numbers? */
export const experiment: Experiment = {
  name: "deep-in-little-memory",
  question: `Does a network of ${many} layers train to the same numbers within the activation bytes that ${few} layers take?`,
  variants,
  claims: [
    { variant: "constrained", figure: "testError", target: 0.04, rule: "below", source: "our own limit" },
    {
      variant: "constrained",
      figure: "shareOfBudget",
      target: 1,
      rule: "below",
      source: `keep-everything, ${few} layers`,
    },
  ],
  seeds: [1],
  async run(variant, seed, checkpoint) {
    const { train, test } = await mnist();
    const options = { batch, optimizer: nn.adam({ rate: cosine }), threads: 2 };
    const shallow = compile(network(few, seed), { ...options, memory: "keep-everything" });
    const budget = shallow.memory.arenaBytes - residentBytes(shallow);
    const deep = network(many, seed);
    const plain = compile(deep, { ...options, memory: "reuse" });
    const program =
      variant === "unconstrained"
        ? plain
        : compile(deep, { ...options, memory: { budget: residentBytes(plain) + budget } });
    const { arenaBytes, strategy } = program.memory;
    const history = await program.fit(train, {
      epochs,
      validation: test,
      checkpoint: { file: checkpoint, every: 100, resume: true },
    });
    const bytes = arenaBytes - residentBytes(program);
    program.dispose();
    const errors = history.epochs.map(({ validationError }) => validationError as number);
    return {
      figures: {
        testError: errors[epochs - 1],
        activationBytes: bytes,
        budgetBytes: budget,
        shareOfBudget: bytes / budget,
        extraWork: (strategy?.extraFlops ?? 0) / (strategy?.flops ?? 1),
      },
      curves: { testError: errors, stepLoss: history.stepLosses },
    };
  },
};

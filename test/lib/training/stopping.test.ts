import * as assert from "uvu/assert";
import { syntheticDigits } from "../../../datasets/index.ts";
import { type Dataset, sliceDataset } from "../../../lib/formats/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { full, type HostTensor, random, tensor } from "../../../lib/tensor/index.ts";
import { type CompileOptions, compile, type EarlyStopping, type Program } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

async function message(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}

const { train, test: check } = syntheticDigits({ train: 96, test: 40, size: 8 });

function digits(options: CompileOptions = {}): Program {
  const model = nn.sequential([nn.flatten(), nn.dense(12), nn.relu(), nn.dense(10)], { input: [8, 8], seed: 1 });
  return compile(model, { batch: 32, engine: "reference", optimizer: nn.sgd({ rate: 0.1 }), ...options });
}

const early = suite("early stopping");

early(
  "training ends once nothing has improved for as long as patience says, with the best epoch's weights",
  async () => {
    // Labels that mean nothing can be learned by heart: the loss of other samples soon rises.
    const noise: Dataset = {
      ...train,
      targets: { ...train.targets, data: Int32Array.from({ length: 96 }, () => random(1).next() % 10) },
    };
    const rate = 0.5;
    const stopped = digits({ optimizer: nn.sgd({ rate }) });
    const history = await stopped.fit(noise, { epochs: 60, validation: check, earlyStopping: { patience: 4 } });
    const losses = history.epochs.map(({ validationLoss }) => validationLoss as number);
    const best = losses.indexOf(Math.min(...losses)) + 1;
    assert.is(history.bestEpoch, best);
    assert.is(history.epochs.length, best + 4);
    assert.ok(history.epochs.length < 60);
    const short = digits({ optimizer: nn.sgd({ rate }) });
    await short.fit(noise, { epochs: best, validation: check });
    assert.equal([...stopped.parameters], [...short.parameters]);
  },
);

early("improvements smaller than the margin do not count, and the last weights can be kept", async () => {
  const stopped = digits();
  const earlyStopping: EarlyStopping = { patience: 2, measure: "loss", margin: 100, restoreBest: false };
  const history = await stopped.fit(train, { epochs: 9, earlyStopping });
  assert.equal([history.epochs.length, history.bestEpoch], [3, 1]);
  const whole = digits();
  await whole.fit(train, { epochs: 3 });
  assert.equal([...stopped.parameters], [...whole.parameters]);
});

early("a rule that cannot be followed is refused", async () => {
  const fit = (earlyStopping: EarlyStopping, validation?: Dataset): Promise<string> =>
    message(digits().fit(train, { earlyStopping, ...(validation === undefined ? {} : { validation }) }));
  assert.match(await fit({ patience: 0 }), "patience must be a whole number ≥ 1, got 0");
  assert.match(await fit({ patience: 1, margin: -1 }), "the margin must be a number ≥ 0, got -1");
  assert.match(await fit({ patience: 1, measure: "validationError" }), "got validationError with no validation data");
  assert.match(
    await fit({ patience: 1, measure: "accuracy" as "loss" }, check),
    "got accuracy with validation classes",
  );
});

early.run();

const finite = suite("the first number that is not finite");

/** x · weight with weights of one's own. */
const given = (program: Program, change: Readonly<Record<string, HostTensor>>): Program => {
  program.reset(new Map([...program.parameters, ...Object.entries(change)]));
  return program;
};

for (const engine of ["reference", "wasm"] as const) {
  finite(`an overflow in the forward pass is found by layer and operator (${engine})`, async () => {
    const program = given(digits({ engine, threads: 1 }), { "dense2.weight": full([12, 10], 3e38) });
    const before = [...program.parameters];
    const said = await message(program.fit(train));
    assert.match(said, /^fit: the loss must stay finite, got NaN \(epoch 1, step 1, network\): /);
    assert.match(
      said,
      /matmul in layer dense2 \(forward, float32\[32,10\]\) made Infinity of numbers up to 3\.00e\+38;/,
    );
    assert.equal([...program.parameters], before, "the step is undone");
    assert.equal(program.history?.stepLosses, []);
    program.dispose();
  });

  finite(`a gradient that is not finite is found though the loss still was (${engine})`, async () => {
    // √0 is 0, but its slope is infinite: the loss is finite once, and the weights are not afterwards.
    const root: nn.Layer = {
      type: "root",
      label: "root",
      build: ({ builder }, input) => builder.apply("sqrt", [input]),
    };
    const model = nn.sequential([nn.dense(4), root, nn.dense(2)], { input: [3], seed: 1 });
    const program = given(compile(model, { batch: 2, engine, threads: 1, optimizer: nn.sgd({ rate: 0.01 }) }), {
      "dense1.weight": full([3, 4], 0),
    });
    const data: Dataset = {
      kind: "dataset",
      name: "ones",
      inputs: full([8, 3], 1),
      scale: 1,
      targets: tensor([0, 1, 0, 1, 0, 1, 0, 1], { dtype: "int32" }),
      classes: [],
    };
    const said = await message(program.fit(data, { shuffle: false }));
    assert.match(
      said,
      /\(epoch 1, step 1, network\): divide in layer root1 \(backward, float32\[2,4\]\) made -?Infinity/,
    );
    assert.equal(program.parameters.get("dense1.weight"), full([3, 4], 0));
    const last = await message(program.fit(sliceDataset(data, 0, 2), { shuffle: false }));
    assert.match(last, "fit: weights must stay finite, got others in dense1.weight (epoch 1, step 1, network): divide");
    program.dispose();
  });
}

finite("weights that were given bad are named", async () => {
  const bias = full([10], 0);
  bias.data[3] = Number.NaN;
  const said = await message(given(digits(), { "dense2.bias": bias }).fit(train));
  assert.match(said, "dense2.bias holds NaN (element 3) before the step");
});

finite("a rate that is too high is found where the update makes too large a weight", async () => {
  const said = await message(digits({ optimizer: nn.sgd({ rate: 1e39 }) }).fit(train, { epochs: 3 }));
  assert.match(said, /rate holds Infinity \(element 0\) before the step/);
  const high = await message(digits({ optimizer: nn.sgd({ rate: 3e38 }) }).fit(train, { epochs: 30 }));
  assert.match(high, /step \d+, network\): \w+ in layer \w+ \(\w+, .* made -?(Infinity|NaN)/);
});

finite.run();

const scaling = suite("scaling of the loss");

scaling(
  "by a power of two it changes no bit, and gradients that overflow are undone with the scale halved",
  async () => {
    const plain = digits();
    const expected = await plain.fit(train, { epochs: 3 });
    const scaled = digits({ lossScaling: true });
    const history = await scaled.fit(train, { epochs: 3 });
    assert.equal(history.stepLosses, expected.stepLosses);
    assert.equal([...scaled.parameters], [...plain.parameters]);
    assert.is(history.skippedSteps, 0);

    const sharp = { ...train, scale: 1 };
    const sgd = nn.sgd({ rate: 1e-5 });
    const large = digits({ optimizer: sgd, lossScaling: { initial: 2 ** 126, growAfter: 10 } });
    const bumpy = await large.fit(sharp, { epochs: 20 });
    assert.ok((bumpy.skippedSteps ?? 0) > 0, "inputs up to 255 overflow at 2^126");
    assert.ok(bumpy.epochs[19].loss < bumpy.epochs[0].loss, "what is not skipped still teaches");
  },
);

scaling("a step that is skipped leaves the weights as they were", async () => {
  const sharp = { ...train, scale: 1000 };
  const program = digits({ lossScaling: { initial: 2 ** 126, growAfter: 100 } });
  const before = [...program.parameters];
  const { skippedSteps, stepLosses } = await program.fit(sharp, { shuffle: false });
  assert.equal([skippedSteps, stepLosses.length], [3, 3], "inputs of 255,000 overflow at once");
  assert.equal([...program.parameters], before);
});

scaling("a setting that makes no sense is refused", () => {
  assert.throws(() => digits({ lossScaling: { initial: 0 } }), "got 0 and 2000");
  assert.throws(() => digits({ lossScaling: { growAfter: 0.5 } }), "got 65536 and 0.5");
});

scaling.run();

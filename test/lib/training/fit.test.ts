import * as assert from "uvu/assert";
import { syntheticDigits } from "../../../datasets/index.ts";
import { type Dataset, sliceDataset } from "../../../lib/formats/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { full, tensor, zeros } from "../../../lib/tensor/index.ts";
import { type CompileOptions, compile, type Program, type Progress, setHost } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("fitting a model");

const { train, test: check } = syntheticDigits({ train: 230, test: 50, size: 10 });

function program(options: CompileOptions = {}, seed = 1): Program {
  const model = nn.sequential([nn.flatten(), nn.dense(24), nn.relu(), nn.dense(10)], { input: [10, 10], seed });
  return compile(model, {
    batch: 32,
    engine: "reference",
    optimizer: nn.sgd({ rate: 0.2, momentum: 0.8 }),
    ...options,
  });
}

async function rejects(promise: Promise<unknown>, said: string): Promise<void> {
  try {
    await promise;
  } catch (error) {
    assert.ok((error as Error).message.includes(said), `"${said}" is not in "${(error as Error).message}"`);
    return;
  }
  assert.unreachable(`expected an error with "${said}"`);
}

test("the loss falls and unseen digits are recognised", async () => {
  const fitted = program();
  const history = await fitted.fit(train, { epochs: 30, validation: check });
  assert.is(history.epochs.length, 30);
  assert.is(history.stepLosses.length, 30 * 8, "230 samples make seven batches of 32 and one of 6");
  const last = history.epochs[29];
  assert.ok(last.loss < history.epochs[0].loss / 5, `${last.loss}`);
  assert.ok((last.validationError ?? 1) < 0.2, `${last.validationError}`);
  assert.is((await fitted.evaluate(check)).error, last.validationError);
});

test("one seed gives the same losses to the bit, another seed other ones", async () => {
  const losses = async (seed: number): Promise<readonly number[]> =>
    (await program({}, seed).fit(train, { epochs: 2 })).stepLosses;
  assert.equal(await losses(5), await losses(5));
  assert.not.equal(await losses(5), await losses(6));
});

test("an epoch's loss is the mean over all of its samples, also those of the smaller last batch", async () => {
  const few = sliceDataset(train, 0, 5);
  const still = program({ batch: 2, optimizer: nn.sgd({ rate: 1e-12 }) });
  const { epochs } = await still.fit(few, { shuffle: false });
  const { loss } = await still.evaluate(few);
  assert.ok(Math.abs(epochs[0].loss - loss) < 1e-6);
});

test("training goes on where it stopped, and reset begins anew", async () => {
  const whole = program();
  await whole.fit(train, { epochs: 1, seed: 3 });
  await whole.fit(train, { epochs: 1, seed: 4 });
  const parts = program();
  await parts.fit(train, { epochs: 1, seed: 3 });
  const carried = parts.parameters;
  await parts.fit(train, { epochs: 1, seed: 4 });
  assert.equal([...parts.parameters], [...whole.parameters]);
  parts.reset(carried);
  assert.equal([...parts.parameters], [...carried]);
  parts.reset();
  assert.equal([...parts.parameters], [...program().parameters]);
  parts.dispose();
  assert.equal([...parts.parameters], [...program().parameters]);
});

test("a schedule is asked anew for every step, in epochs done so far", async () => {
  const asked: number[] = [];
  const schedule: nn.Schedule = (epochs) => {
    asked.push(epochs);
    return 0.1;
  };
  await program({ batch: 115, optimizer: nn.sgd({ rate: schedule }) }).fit(train, { epochs: 2 });
  assert.equal(asked, [0, 0.5, 1, 1.5]);
  assert.equal([0, 0.9, 1, 2.5].map(nn.exponentialDecay(8, 0.5)), [8, 8, 4, 2]);
  assert.throws(() => nn.exponentialDecay(0.1, 2), "got 0.1 and 2");
});

test("evaluation counts what predict answers", async () => {
  const fitted = program();
  await fitted.fit(train, { epochs: 10 });
  const { confusion = [], error = 0, samples } = await fitted.evaluate(check);
  const outputs = await fitted.predict(check);
  let wrong = 0;
  for (let sample = 0; sample < samples; sample++) {
    const row = [...outputs.data.slice(sample * 10, sample * 10 + 10)];
    if (row.indexOf(Math.max(...row)) !== check.targets.data[sample]) wrong++;
  }
  assert.is(error, wrong / samples);
  const total = confusion.flat().reduce((sum, count) => sum + count, 0);
  const right = confusion.reduce((sum, row, label) => sum + row[label], 0);
  assert.equal([total, right], [samples, samples - wrong]);
});

test("progress is reported up to the end", async () => {
  const reports: Progress[] = [];
  setHost({ report: (progress) => reports.push(progress), interruptFlag: null });
  await program().fit(train, { epochs: 2, validation: check });
  setHost({ report: () => {}, interruptFlag: null });
  const last = reports[reports.length - 1];
  assert.ok(last.finished);
  assert.equal([last.done, last.total], [16, 16]);
  assert.match(last.note, /epoch 2\/2 · loss [\d.]+ · test error [\d.]+ %/);
  assert.is(new Set(reports.map((report) => report.id)).size, 1);
});

test("an interrupt stops between two steps and keeps weights and history", async () => {
  const interruptFlag = new Int32Array(new SharedArrayBuffer(4));
  let steps = 0;
  setHost({
    report: ({ done }) => {
      steps = done;
      Atomics.store(interruptFlag, 0, 1);
    },
    interruptFlag,
  });
  const stopped = program();
  await rejects(stopped.fit(train, { epochs: 5 }), "fit: interrupted after step ");
  setHost({ report: () => {}, interruptFlag: null });
  assert.ok(stopped.history?.interrupted);
  assert.ok(steps > 0 && (stopped.history?.stepLosses.length ?? 0) >= steps);
  const before = [...stopped.parameters];
  assert.ok(Number.isFinite((await stopped.evaluate(check)).loss));
  assert.equal([...stopped.parameters], before);
});

test("values can be learned as well as classes", async () => {
  const count = 64;
  const inputs = zeros([count, 2]);
  const targets = zeros([count, 1]);
  for (let i = 0; i < count; i++) {
    inputs.data.set([(i % 8) / 8, Math.floor(i / 8) / 8], 2 * i);
    targets.data[i] = inputs.data[2 * i] * inputs.data[2 * i + 1];
  }
  const data: Dataset = { kind: "dataset", name: "products", inputs, scale: 1, targets, classes: [] };
  const model = nn.sequential([nn.dense(16), nn.tanh(), nn.dense(1)], { input: [2] });
  const regression = compile(model, {
    batch: 16,
    engine: "reference",
    loss: nn.meanSquaredError(),
    optimizer: nn.sgd({ rate: 0.1, momentum: 0.9 }),
  });
  const { epochs } = await regression.fit(data, { epochs: 60, validation: data });
  const last = epochs[59];
  assert.ok(last.loss < 0.01, `${last.loss}`);
  assert.is(last.validationError, undefined);
});

test("data that does not fit is refused before any step, by name and place", async () => {
  const tried = program();
  const bad = (change: Partial<Dataset>): Dataset => ({ ...train, ...change });
  await rejects(tried.fit(sliceDataset(train, 0, 0)), "there must be at least one sample");
  await rejects(
    tried.fit(sliceDataset(train, 0, 31)),
    "a batch must not be larger than the data set, got 32 and 31 samples",
  );
  await rejects(
    tried.fit(bad({ inputs: zeros([230, 9, 9]) })),
    "samples must have the model's input shape, got [9,9] for [10,10]",
  );
  const holed = full([230, 10, 10], 0.5);
  holed.data[205] = Number.NaN;
  await rejects(tried.fit(bad({ inputs: holed })), "inputs must be finite numbers, got NaN at sample 2, element 5");
  await rejects(
    tried.fit(bad({ targets: zeros([230]) })),
    "targets must be int32[230] for cross-entropy, got float32[230]",
  );
  const labels = tensor(train.targets.data, { dtype: "int32" });
  labels.data[7] = 10;
  await rejects(tried.fit(bad({ targets: labels })), "labels must be from 0 to 9, got 10 at sample 7");
  await rejects(tried.fit(train, { epochs: 0 }), "epochs must be a whole number ≥ 1");
  await rejects(tried.predict(zeros([3, 5])), "inputs must be [samples, ...[10,10]], got [3,5]");
  assert.throws(() => sliceDataset(train, 5, 300), "got from 5 to 300 of 230");
  assert.is(tried.history, null);
});

test("an exploding loss stops the training and says where", async () => {
  await rejects(
    program({ optimizer: nn.sgd({ rate: 1e30 }) }).fit(train, { epochs: 3 }),
    "fit: the loss must stay finite, got NaN (epoch 1, step ",
  );
});

test("a model and a loss that do not fit, and options that are not there, are refused when compiled", () => {
  const model = nn.sequential([nn.dense(3)], { input: [2] });
  assert.throws(
    () => compile(model, { optimiser: nn.sgd({ rate: 1 }) } as CompileOptions),
    "got optimiser; there are loss, optimizer",
  );
  assert.throws(() => compile(model, { batch: 0.5 }), "batch must be a whole number ≥ 1, got 0.5");
  assert.throws(() => compile(model, { dtype: "float16" }), "dtype must be float32 or float64, got float16");
  const picture: nn.Layer = { type: "same", label: "same", build: (_, input) => input };
  assert.throws(() => compile(nn.sequential([picture], { input: [2, 2] })), "end it with dense(classes)");
  assert.throws(() => program().reset(new Map([["dense9.weight", zeros([1])]])), 'got "dense9.weight"');
  assert.throws(() => program().reset(new Map()), "dense1.weight must be [100,24], got none");
});

test.run();

import * as assert from "uvu/assert";
import { syntheticDigits } from "../../../datasets/index.ts";
import { type Samples, sliceDataset } from "../../../lib/formats/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { tensor, zeros } from "../../../lib/tensor/index.ts";
import { compile, type Program, type Progress, setHost } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("training on streams of samples");

const { train } = syntheticDigits({ train: 200, test: 1, size: 8 });

function program(rate: number | nn.Schedule = 0.1): Program {
  const model = nn.sequential([nn.flatten(), nn.dense(10)], { input: [8, 8], seed: 1 });
  return compile(model, { batch: 32, engine: "reference", optimizer: nn.sgd({ rate, momentum: 0.5 }) });
}

/** The data set in pieces of these sizes, over and over until it is at its end. */
function* pieces(...sizes: readonly number[]): Generator<Samples> {
  for (let from = 0, index = 0; from < 200; index++) {
    const to = Math.min(200, from + sizes[index % sizes.length]);
    yield sliceDataset(train, from, to);
    from = to;
  }
}

async function message(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}

test("pieces of any size give the batches of the same samples in memory", async () => {
  const expected = await program().fit(train, { epochs: 2, shuffle: false });
  const ways = {
    "one by one": () => pieces(1),
    "in odd pieces": () => pieces(3, 57, 1, 90),
    "all at once": () => [train],
    asynchronously: async function* () {
      for (const piece of pieces(33)) {
        await new Promise((resolve) => setImmediate(resolve));
        yield piece;
      }
    },
  };
  for (const [name, stream] of Object.entries(ways)) {
    const { stepLosses, samplesPerEpoch, epochs } = await program().fit(stream, { epochs: 2 });
    assert.equal(stepLosses, expected.stepLosses, name);
    assert.is(samplesPerEpoch, 200);
    assert.equal(
      epochs.map(({ loss }) => loss),
      expected.epochs.map(({ loss }) => loss),
      name,
    );
  }
  const list = await program().fit([...pieces(70)], { epochs: 2 });
  assert.equal(list.stepLosses, expected.stepLosses, "a list begins anew by itself");
});

test("a source may use its buffer again once it is asked for more", async () => {
  const expected = await program().fit(train, { shuffle: false });
  function* frugal(): Generator<Samples> {
    const inputs = zeros([20, 8, 8], "uint8");
    const targets = zeros([20], "int32");
    for (const piece of pieces(20)) {
      inputs.data.set(piece.inputs.data);
      targets.data.set(piece.targets.data);
      yield { inputs, targets, scale: train.scale };
    }
  }
  assert.equal((await program().fit(frugal())).stepLosses, expected.stepLosses);
});

test("the function is asked for every epoch by its number, and an endless stream is cut into epochs", async () => {
  const asked: number[] = [];
  await program().fit(
    (epoch) => {
      asked.push(epoch);
      return pieces(100);
    },
    { epochs: 3 },
  );
  assert.equal(asked, [1, 2, 3]);
  let closed = false;
  function* endless(): Generator<Samples> {
    try {
      while (true) yield* pieces(60);
    } finally {
      closed = true;
    }
  }
  const { epochs, stepLosses, samplesPerEpoch } = await program().fit(endless(), { epochs: 3, samplesPerEpoch: 80 });
  assert.equal([epochs.length, stepLosses.length, samplesPerEpoch], [3, 9, 80]);
  assert.ok(closed, "the source may tidy up");
});

test("schedules see whole epochs until the length of the stream is known", async () => {
  const asked: number[] = [];
  const schedule: nn.Schedule = (epochs) => {
    asked.push(epochs);
    return 0.1;
  };
  await program(schedule).fit(() => pieces(200), { epochs: 2 });
  const steps = [0, 32, 64, 96, 128, 160, 192];
  assert.equal(asked, [...steps.map(() => 0), ...steps.map((done) => 1 + done / 200)]);
});

test("progress leaves the total out until it is known", async () => {
  const reports: Progress[] = [];
  setHost({ report: (progress) => reports.push(progress), interruptFlag: null });
  await program().fit(() => pieces(200), { epochs: 2 });
  setHost({ report: () => {}, interruptFlag: null });
  assert.equal([reports.at(-1)?.done, reports.at(-1)?.total], [14, 14]);
});

test("a stream that gives nothing, or what does not fit, is refused with the epoch", async () => {
  const none = "a stream must give samples in every epoch, got none in epoch";
  assert.match(await message(program().fit([])), `${none} 1; an iterator is used up`);
  assert.match(await message(program().fit(pieces(50), { epochs: 2 })), `${none} 2`);
  const bad = (change: Partial<Samples>): Promise<string> => message(program().fit([{ ...train, ...change }]));
  assert.match(
    await bad({ inputs: zeros([200, 64]) }),
    "samples must have the model's input shape, got [64] for [8,8] (in a piece of the stream, epoch 1)",
  );
  assert.match(await bad({ targets: tensor([1, 2], { dtype: "int32" }) }), "targets must be int32[200]");
  const holed = zeros([200, 8, 8]);
  holed.data[70] = Number.NaN;
  assert.match(await bad({ inputs: holed }), "inputs must be finite numbers, got NaN at sample 1, element 6");
  assert.match(await message(program().fit(7 as never)), "fit: data must be a data set, an iterable of samples");
  assert.match(await message(program().fit(train, { samplesPerEpoch: 5 })), "samplesPerEpoch is for streams, got 5");
});

test.run();

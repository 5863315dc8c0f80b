import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { syntheticDigits } from "../../../datasets/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import {
  type CompileOptions,
  compile,
  type FitOptions,
  type Program,
  setHost,
  type TrainingHistory,
} from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("checkpoints of training");

const folder = temporaryFolder();
const { train, test: check } = syntheticDigits({ train: 230, test: 50, size: 10 });

const quiet = { report: () => {}, interruptFlag: null };

/** A program with everything that is carried from step to step; interrupts itself where `stopAt` says. */
function program(options: CompileOptions = {}, stopAt = 0): Program {
  const interruptFlag = new Int32Array(new SharedArrayBuffer(4));
  setHost(stopAt > 0 ? { ...quiet, interruptFlag } : quiet);
  let steps = 0;
  const rate: nn.Schedule = (epochs) => {
    if (++steps === stopAt) Atomics.store(interruptFlag, 0, 1);
    return 0.01 * 0.8 ** epochs;
  };
  const layers = [nn.flatten(), nn.dense(24), nn.batchNorm(), nn.relu(), nn.dropout(0.2), nn.dense(10)];
  return compile(nn.sequential(layers, { input: [10, 10], seed: 2 }), {
    batch: 32,
    engine: "reference",
    optimizer: nn.adam({ rate }),
    lossScaling: { initial: 2 ** 10, growAfter: 5 },
    ...options,
  });
}

/** A history without what is a matter of the clock. */
const timeless = (history: TrainingHistory | null) => ({
  ...history,
  epochs: history?.epochs.map(({ seconds: _, ...record }) => record),
});

async function message(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}

const everything = (fitted: Program) => [...fitted.parameters, ...fitted.states];

for (const engine of ["reference", "wasm"] as const) {
  test(`interrupted anywhere and taken up again, training on ${engine} comes out the same to the bit`, async () => {
    const options: FitOptions = { epochs: 4, seed: 9, validation: check, earlyStopping: { patience: 3, margin: 10 } };
    const whole = program({ engine, threads: 2 });
    const expected = await whole.fit(train, options);
    // Eight steps an epoch: within one, after its last step, and within the one in which patience ends.
    for (const [index, stopAt] of [3, 8, 29].entries()) {
      const checkpoint = { file: join(folder, `${engine}-${index}`), every: 1000, resume: true };
      const stopped = program({ engine, threads: 2 }, stopAt);
      assert.match(await message(stopped.fit(train, { ...options, checkpoint })), `interrupted after step ${stopAt} `);
      assert.is(stopped.history?.stepLosses.length, stopAt);
      stopped.dispose();
      const resumed = program({ engine, threads: 2 });
      const history = await resumed.fit(train, { ...options, checkpoint });
      assert.equal(timeless(history), timeless(expected), `stopped at ${stopAt}`);
      assert.equal(everything(resumed), everything(whole), `stopped at ${stopAt}`);
      resumed.dispose();
    }
    assert.is(expected.bestEpoch, 1, "a margin of 10 is never met: the weights are those of epoch 1");
    whole.dispose();
  });
}

test("a stream is taken up again where it was, whether it begins anew each epoch or never", async () => {
  function* pieces() {
    for (let from = 0; from < 230; from += 46) {
      yield { ...train, inputs: rows(from, from + 46), targets: labels(from, from + 46) };
    }
  }
  const rows = (from: number, to: number) => ({
    ...train.inputs,
    shape: [to - from, 10, 10],
    data: train.inputs.data.slice(from * 100, to * 100),
  });
  const labels = (from: number, to: number) => ({
    ...train.targets,
    shape: [to - from],
    data: train.targets.data.slice(from, to),
  });
  function* endless() {
    while (true) yield* pieces();
  }
  const sources = [
    { data: () => () => pieces(), options: {} },
    { data: () => endless(), options: { samplesPerEpoch: 100 } },
  ];
  for (const [index, { data, options }] of sources.entries()) {
    const whole = program();
    const expected = await whole.fit(data(), { epochs: 3, ...options });
    const checkpoint = { file: join(folder, `stream-${index}`), resume: true };
    const stopped = program({}, 10);
    assert.match(
      await message(stopped.fit(data(), { epochs: 3, checkpoint, ...options })),
      "interrupted after step 10 ",
    );
    const resumed = program();
    const history = await resumed.fit(data(), { epochs: 3, checkpoint, ...options });
    assert.equal(timeless(history), timeless(expected));
    assert.equal(everything(resumed), everything(whole));
  }
});

test("a process that is killed again and again ends with the weights of one that never was", () => {
  const script = join(import.meta.dirname, "../../fixtures/training/killed-fit.js");
  const run = (file: string, lastStep: number) =>
    spawnSync(process.execPath, [script, join(folder, file), String(lastStep)], { encoding: "utf8" });
  const whole = run("never-killed", 0);
  assert.is(whole.status, 0, whole.stderr);
  for (const lastStep of [3, 4, 7]) {
    const killed = run("killed", lastStep);
    assert.is(killed.signal, "SIGKILL", killed.stderr);
    assert.ok(existsSync(join(folder, "killed")));
  }
  const ended = run("killed", 0);
  assert.is(ended.status, 0, ended.stderr);
  assert.equal(JSON.parse(ended.stdout), JSON.parse(whole.stdout));
  assert.not(readdirSync(folder).some((name) => name.endsWith(".tmp")));
});

test("a run that has ended goes on from its end when it is given more epochs, as if they had been asked for at once", async () => {
  const file = join(folder, "longer");
  const whole = program();
  const expected = await whole.fit(train, { epochs: 3 });
  await program().fit(train, { epochs: 2, checkpoint: { file } });
  const longer = program();
  const history = await longer.fit(train, { epochs: 3, checkpoint: { file, resume: true } });
  assert.equal(timeless(history), timeless(expected));
  assert.equal(everything(longer), everything(whole));
});

test("without resume training begins anew and replaces the file", async () => {
  const file = join(folder, "replaced");
  writeFileSync(file, "anything");
  const fitted = program();
  const history = await fitted.fit(train, { checkpoint: { file } });
  assert.is(history.stepLosses.length, 8);
  assert.ok(readFileSync(file).length > 1000);
});

test("a file of another run, or no checkpoint at all, is refused by name", async () => {
  const file = join(folder, "mine");
  await program().fit(train, { checkpoint: { file } });
  const go = (options: CompileOptions, more: FitOptions = {}): Promise<string> =>
    message(program(options).fit(train, { ...more, checkpoint: { file, resume: true } }));
  assert.match(await go({ batch: 16 }), `must belong to the same run: batch must be 16, got 32 (${file})`);
  assert.match(await go({ optimizer: nn.sgd({ rate: 0.1 }) }), "optimizer must be SGD, got Adam");
  assert.match(await go({}, { seed: 77 }), "seed must be 77, got 2");
  writeFileSync(file, readFileSync(file).subarray(0, 300));
  assert.match(await go({}), `${file}: the header must take at most`);
  writeFileSync(file, Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d));
  assert.match(await go({}), "a checkpoint must have been written by fit");
  const never = { checkpoint: { file, every: 0 } };
  assert.match(await message(program().fit(train, never)), "checkpoint.every must be a whole number ≥ 1, got 0");
});

test.run();

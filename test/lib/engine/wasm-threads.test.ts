import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runInThisContext } from "node:vm";
import { Worker } from "node:worker_threads";
import * as assert from "uvu/assert";
import { usualThreads, wasmEngine } from "../../../lib/engine/index.ts";
import { suite } from "../../support/suite.ts";
import { loadTraining, lossesOf } from "./realm.ts";

const test = suite("threads of the wasm engine");

const realm = join(import.meta.dirname, "realm.js");

/** What one thread computes: the measure for all that follows. */
async function expectedLosses(): Promise<number[]> {
  const alone = await loadTraining(1);
  const losses = lossesOf(alone, 3);
  alone.dispose();
  return losses;
}

test("a worker can have threads of its own, and ends by itself when it is done", async () => {
  const worker = new Worker(realm);
  const [losses] = await once(worker, "message");
  assert.equal(losses, await expectedLosses());
  assert.equal(await once(worker, "exit"), [0]);
});

test("a worker that is terminated in the middle of a run takes its threads with it", async () => {
  const worker = new Worker(realm, { workerData: "forever" });
  await once(worker, "message");
  assert.is(await worker.terminate(), 1);
});

test("a process whose program was never disposed of ends by itself", async () => {
  const output = execFileSync(process.execPath, [realm], { encoding: "utf8", timeout: 60_000 });
  assert.equal(JSON.parse(output), await expectedLosses());
});

test("a run that was interrupted in the middle leaves threads that work", async () => {
  const execution = await loadTraining(2);
  const expected = await expectedLosses();
  for (let turn = 0; turn < 5; turn++) {
    // Interrupts the way a debugger or a kernel does: execution ends at once, without any catch or finally.
    (globalThis as Record<string, unknown>).runForever = () => {
      for (;;) execution.run();
    };
    fillAgain(execution);
    assert.throws(() => runInThisContext("runForever()", { timeout: 20 + 7 * turn }), /timed out/);
    assert.equal(lossesOf(execution, 3), expected, `turn ${turn}`);
  }
  delete (globalThis as Record<string, unknown>).runForever;
  execution.dispose();
});

test("several programs share one pool, which outlives each of them", async () => {
  const expected = await expectedLosses();
  const [first, second] = [await loadTraining(2), await loadTraining(2)];
  assert.equal(lossesOf(first, 3), expected);
  assert.equal(lossesOf(second, 3), expected);
  first.dispose();
  assert.equal(lossesOf(second, 3), expected);
  second.dispose();
  const third = await loadTraining(2);
  assert.equal(lossesOf(third, 3), expected);
  third.dispose();
});

test("an execution that was disposed of says so", async () => {
  const execution = await loadTraining(2);
  execution.dispose();
  execution.dispose();
  assert.throws(() => execution.run(), /must not be used once disposed/);
  assert.throws(() => execution.input("input"), /must not be used once disposed/);
});

test("a number of threads that cannot be is refused", () => {
  assert.throws(() => wasmEngine({ threads: 0 }), /threads must be a whole number ≥ 1, got 0/);
  assert.throws(() => wasmEngine({ threads: 1.5 }), /got 1.5/);
});

test("the environment says how many threads programs get that do not ask", () => {
  const before = process.env.TESSERA_THREADS;
  try {
    delete process.env.TESSERA_THREADS;
    assert.is(usualThreads(), Math.min(4, availableParallelism()));
    for (const told of ["1", "3", "12"]) {
      process.env.TESSERA_THREADS = told;
      assert.is(usualThreads(), Number(told));
    }
    for (const told of ["0", "two", "1.5", "-1"]) {
      process.env.TESSERA_THREADS = told;
      assert.throws(usualThreads, `TESSERA_THREADS: must be a whole number ≥ 1, got "${told}"`);
    }
  } finally {
    if (before === undefined) delete process.env.TESSERA_THREADS;
    else process.env.TESSERA_THREADS = before;
  }
});

/** Data may have been overwritten: a program that runs on garbage could end in a loss that is not a number. */
function fillAgain(execution: Awaited<ReturnType<typeof loadTraining>>): void {
  lossesOf(execution, 1);
}

test.run();

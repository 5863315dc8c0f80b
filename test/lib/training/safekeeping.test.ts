import { runInThisContext } from "node:vm";
import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { type Execution, referenceEngine } from "../../../lib/engine/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { type DataOf, random } from "../../../lib/tensor/index.ts";
import { trainingGraph } from "../../../lib/training/index.ts";
import { Safekeeping, type TakenStep } from "../../../lib/training/safekeeping.ts";
import { suite } from "../../support/suite.ts";

const test = suite("steps that are whole or undone");

/** A state of two numbers, of which a step makes its next one in two halves; `run` may be told to stop in between. */
class Fake {
  readonly state = Float32Array.of(1, 1);
  stopInside = false;
  readonly safekeeping = new Safekeeping({ current: () => new Map([["w", this.state]]), moveTo: () => {} });

  step(factor: number): TakenStep {
    const execution = {
      run: () => {
        this.state[0] *= factor;
        // What an interruption leaves: whatever was set before, and nothing that comes after.
        if (this.stopInside) throw new Error("stopped");
        this.state[1] = this.state[1] * factor + 1;
      },
    } as unknown as Execution;
    return { epoch: 1, number: 1, execution, fill() {} };
  }

  take(...factors: readonly number[]): void {
    for (const factor of factors) this.safekeeping.take(this.step(factor));
  }

  stopIn(factor: number): void {
    this.stopInside = true;
    assert.throws(() => this.take(factor), "stopped");
    this.stopInside = false;
  }
}

test("a step that was left half-done is undone, and the finished ones before it are not", () => {
  const fake = new Fake();
  fake.safekeeping.keep();
  fake.take(2, 3);
  const before = fake.state.slice();
  fake.stopIn(5);
  assert.not.equal(fake.state, before);
  fake.safekeeping.recover();
  assert.equal(fake.state, before);
  fake.take(7);
  const after = fake.state.slice();
  fake.safekeeping.recover();
  assert.equal(fake.state, after, "nothing happens without an interruption");
});

test("an interruption of the mending itself does no harm", () => {
  const fake = new Fake();
  fake.safekeeping.keep();
  fake.take(2, 3);
  const before = fake.state.slice();
  fake.stopIn(5);
  fake.stopInside = true;
  assert.throws(() => fake.safekeeping.recover(), "stopped");
  fake.stopInside = false;
  fake.safekeeping.recover();
  assert.equal(fake.state, before);
});

test("the last step can be undone, again and again back to the copy", () => {
  const fake = new Fake();
  assert.throws(() => fake.take(2), "internal: a step was taken before a copy");
  fake.safekeeping.keep();
  const states = [fake.state.slice()];
  for (const factor of [2, 3, 5]) {
    fake.take(factor);
    states.push(fake.state.slice());
  }
  for (const state of states.slice(0, 3).reverse()) {
    fake.safekeeping.undo();
    assert.equal(fake.state, state);
  }
  assert.throws(() => fake.safekeeping.undo(), "internal: there is no step to undo");
});

test("rewinding finds the first step after which a number is not finite, and undoes it", () => {
  const fake = new Fake();
  fake.safekeeping.keep();
  fake.take(2);
  const before = fake.state.slice();
  const bad = fake.step(Number.POSITIVE_INFINITY);
  fake.safekeeping.take(bad);
  fake.take(2, 2);
  assert.is(fake.safekeeping.keep(), "w", "weights that have gone bad are not copied over good ones");
  assert.is(
    fake.safekeeping.rewind(() => false),
    bad,
  );
  assert.equal(fake.state, before);
});

test("JavaScript that is terminated anywhere in a step leaves weights of before or of after it, to the bit", async () => {
  const model = nn.sequential([nn.dense(40), nn.tanh(), nn.dense(40)], { input: [40], seed: 3 });
  const graph = trainingGraph(model, nn.sgd({ rate: 0.1, momentum: 0.9 }), { batch: 64, loss: nn.crossEntropy() });
  const engine = referenceEngine();
  const execution = await engine.load(engine.compile(makeSchedule(graph)));
  const inputs = random(5).normal([64, 40]).data;
  const carried = graph.inputs.filter(({ role }) => role === "parameter" || role === "state").map(({ name }) => name);
  const current = (): Map<string, DataOf> => new Map(carried.map((name) => [name, execution.input(name)]));
  for (const [index, { data }] of model.initialise().entries()) {
    execution.input(model.parameters[index].name).set(data as never);
  }
  const safekeeping = new Safekeeping({ current, moveTo: () => {} });
  const step: TakenStep = {
    epoch: 1,
    number: 1,
    execution,
    fill() {
      execution.input("rate")[0] = 0.1;
      execution.input("input").set(inputs as never);
      execution.input("target").fill(3);
    },
  };
  const copy = (): string => JSON.stringify([...current().values()].map((data) => [...data]));
  // Which weights there are after how many steps, without interruptions.
  const known: string[] = [copy()];
  safekeeping.keep();
  for (let i = 0; i < 12; i++) {
    safekeeping.take(step);
    known.push(copy());
  }
  for (let i = 0; i < 12; i++) safekeeping.undo();
  assert.is(copy(), known[0]);

  const shared = globalThis as { takeStep?: () => void };
  shared.takeStep = () => safekeeping.take(step);
  let terminations = 0;
  let taken = 0;
  for (let round = 0; taken < 12 && round < 300; round++) {
    try {
      // Terminates what runs after this many milliseconds; no `catch` and no `finally` within sees it.
      runInThisContext("takeStep()", { timeout: 1 + (round % 8) });
    } catch (error) {
      assert.is((error as NodeJS.ErrnoException).code, "ERR_SCRIPT_EXECUTION_TIMEOUT");
      terminations++;
    }
    safekeeping.recover();
    const after = known.indexOf(copy());
    assert.ok(after === taken || after === taken + 1, `round ${round}: weights of step ${after} after ${taken}`);
    taken = after;
  }
  delete shared.takeStep;
  assert.is(taken, 12);
  assert.ok(terminations > 0, "a step should take longer than a millisecond");
});

test("one number that is not finite is found wherever it is, and none among numbers that are merely large", () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const length of [1, 7, 8, 21, 4096, 4100]) {
      for (const place of new Set([0, 6, 7, 20, 4095, 4099].map((index) => Math.min(index, length - 1)))) {
        const weights = new Float32Array(length).fill(1);
        const safekeeping = new Safekeeping({ current: () => new Map([["w", weights]]), moveTo: () => {} });
        assert.is(safekeeping.keep(), null);
        weights[place] = bad;
        assert.is(safekeeping.keep(), "w", `${bad} at ${place} of ${length}`);
      }
    }
  }
  for (const [large, all] of [
    [3.4e38, new Float32Array(9000)],
    [1.7e308, new Float64Array(9000)],
  ] as const) {
    all.fill(large);
    const safekeeping = new Safekeeping({ current: () => new Map([["w", all]]), moveTo: () => {} });
    assert.is(safekeeping.keep(), null);
    assert.is(safekeeping.keep(), null, `${large}`);
  }
});

test.run();

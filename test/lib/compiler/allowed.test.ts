import * as assert from "uvu/assert";
import { type MemoryOption, strategiesOf } from "../../../lib/compiler/index.ts";
import { planTime, titanX } from "../../../lib/compiler/strategies/offload.ts";
import { type Engine, referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { scheduleOf, trainBy } from "../../support/strategy-training.ts";
import { suite } from "../../support/suite.ts";

const test = suite("budgets that allow more than recomputing");

const engines: readonly Engine[] = [referenceEngine(), wasmEngine()];

const deep = nn.sequential([nn.flatten(), ...nn.repeat(16, [nn.dense(64), nn.tanh()]), nn.dense(10)], {
  input: [6, 6],
  seed: 3,
});

for (const engine of engines) {
  test(`of plans that fit the one of least time is taken (${engine.name})`, () => {
    const wide = nn.sequential([nn.flatten(), ...nn.repeat(8, [nn.dense(512), nn.tanh()]), nn.dense(10)], {
      input: [6, 6],
    });
    const setting = { engine, model: wide, batch: 512 };
    const budget = engine.compile(scheduleOf(setting, "rematerialise")).arenaBytes;
    const timed = (memory: MemoryOption) => {
      const schedule = scheduleOf(setting, memory);
      const { seconds } = planTime(schedule.graph, titanX);
      return { ...schedule.strategy, seconds, fits: engine.compile(schedule).arenaBytes <= budget };
    };
    const chosen = timed({ budget, allow: ["8-bit", "offload"] });
    assert.ok(chosen.fits);
    for (const memory of [{ budget }, "8-bit", "offload"] as const) {
      const { fits, seconds } = timed(memory);
      assert.ok(!fits || chosen.seconds <= seconds, `${JSON.stringify(memory)}: ${seconds}, not ${chosen.seconds}`);
    }
  });

  test(`a budget below what an allowed strategy reaches alone is kept (${engine.name})`, async () => {
    const setting = { engine, model: deep, batch: 64 };
    const both = engine.compile(scheduleOf(setting, ["rematerialise", "float16"])).arenaBytes;
    const alone = engine.compile(scheduleOf(setting, "float16")).arenaBytes;
    assert.ok(both < alone);
    const budget = Math.ceil((both + alone) / 2);
    const { program } = await trainBy(setting, scheduleOf(setting, { budget, allow: ["float16", "offload"] }));
    assert.ok(program.arenaBytes <= budget);
  });
}

test("a budget that is large enough changes nothing, whatever is allowed", () => {
  const setting = { engine: referenceEngine(), model: deep, batch: 8 };
  const { strategy } = scheduleOf(setting, { budget: 1e9, allow: ["8-bit"] });
  assert.is(strategy?.results, "the same bits");
  assert.is(strategy?.extraFlops, 0);
});

test("a plan that changes results says so", () => {
  // Products of 512³ are dear beside what storing a quarter of a million numbers takes; so they are not repeated.
  const wide = nn.sequential([nn.flatten(), ...nn.repeat(8, [nn.dense(512), nn.tanh()]), nn.dense(10)], {
    input: [6, 6],
  });
  const setting = { engine: wasmEngine(), model: wide, batch: 512 };
  const budget = setting.engine.compile(scheduleOf(setting, "rematerialise")).arenaBytes;
  const { strategy } = scheduleOf(setting, { budget, allow: ["8-bit"] });
  assert.match(strategy?.reason ?? "", "; 8-bit takes least time");
  assert.match(strategy?.results ?? "", "rounded to 8-bit");
  const strict = scheduleOf(setting, { budget }).strategy;
  assert.is(strict?.results, "the same bits");
  assert.ok((strict?.extraFlops ?? 0) > (strategy?.extraFlops ?? Number.NaN));
});

test("what cuts the batch is not chosen for anybody, and what nothing fits is refused", () => {
  const [accumulate] = strategiesOf({ accumulate: 2 });
  assert.throws(
    () => strategiesOf({ budget: "40%", allow: [accumulate] }),
    /^memory: what a budget allows must leave the batch whole, got accumulate 2; write/,
  );
  const setting = { engine: referenceEngine(), model: deep, batch: 8 };
  assert.throws(() => scheduleOf(setting, { budget: 1000, allow: ["float16"] }), /^memory: the budget must hold/);
});

test.run();

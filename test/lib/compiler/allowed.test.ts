import * as assert from "uvu/assert";
import { strategiesOf } from "../../../lib/compiler/index.ts";
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
  test(`the plan of least time is taken, fits, and says what it does to results (${engine.name})`, async () => {
    const setting = { engine, model: deep, batch: 64 };
    const most = engine.compile(scheduleOf(setting)).arenaBytes;
    const least = engine.compile(scheduleOf(setting, "float16")).arenaBytes;
    const budget = Math.ceil((most + least) / 2);
    const { program } = await trainBy(setting, scheduleOf(setting, { budget, allow: ["float16"] }));
    assert.ok(program.arenaBytes <= budget, `${program.arenaBytes} of ${budget}`);
    // Storing 16 bits costs next to nothing; a budget that does not allow it repeats products.
    const { reason, results, extraFlops } = program.report.strategy as NonNullable<typeof program.report.strategy>;
    assert.match(reason, "float16 takes least time");
    assert.match(results, "rounded to float16");
    const strict = engine.compile(scheduleOf(setting, { budget })).report.strategy;
    assert.is(strict?.results, "the same bits");
    assert.ok((strict?.extraFlops ?? 0) > extraFlops);
  });

  test(`below what either reaches, both together fit (${engine.name})`, async () => {
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

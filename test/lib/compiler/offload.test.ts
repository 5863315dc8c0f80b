import * as assert from "uvu/assert";
import { strategies } from "../../../lib/compiler/index.ts";
import { planTime } from "../../../lib/compiler/strategies/offload.ts";
import { type Engine, referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import { GraphBuilder } from "../../../lib/ir/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { denseTower, residualTower, scheduleOf, trainBy } from "../../support/strategy-training.ts";
import { suite } from "../../support/suite.ts";

const test = suite("offload");

const engines: readonly Engine[] = [referenceEngine(), wasmEngine(), wasmEngine({ threads: 2 })];

const deep = denseTower(12);
const residual = residualTower(3, 12);

for (const [index, engine] of engines.entries()) {
  test(`what has been on the host trains to the same bits, in less of the device (${engine.name} ${index})`, async () => {
    for (const model of [deep, residual]) {
      const setting = { engine, model, batch: 16 };
      const plain = await trainBy(setting, scheduleOf(setting));
      for (const memory of ["offload", strategies.offload({ ahead: 2 }), ["checkpoint", "offload"]] as const) {
        const { program, results } = await trainBy(setting, scheduleOf(setting, memory));
        assert.equal([...results], [...plain.results]);
        assert.ok(program.arenaBytes < plain.program.arenaBytes, `${program.arenaBytes}`);
        assert.is(program.report.hostBytes, program.host.plan.height);
        assert.ok(program.host.plan.height > 0);
      }
    }
  });

  test(`nothing but a move touches the host's memory (${engine.name} ${index})`, () => {
    const { arenaBytes, schedule, steps, offsets } = engine.compile(
      scheduleOf({ engine, model: residual, batch: 16 }, "offload"),
    );
    const moved = schedule.graph.operations.filter(
      ({ operator, attributes }) => operator === "move" && attributes.to === "host",
    );
    const onHost = new Set(moved.map(({ outputs: [{ id }] }) => id));
    assert.ok(onHost.size > 3);
    for (const { name, reads, writes } of steps) {
      const uses = [...reads, ...writes].filter(({ id }) => onHost.has(id));
      if (uses.length > 0) assert.is(name, "move");
      for (const { id } of [...reads, ...writes]) {
        assert.is((offsets.get(id) as number) >= arenaBytes, onHost.has(id), `${name}, %${id}`);
      }
    }
  });
}

test("a budget is kept with fewer moves the larger it is, and one that nothing fits is refused", () => {
  const setting = { engine: referenceEngine(), model: deep, batch: 64 };
  const moves = (bytes?: number) => {
    const program = setting.engine.compile(scheduleOf(setting, strategies.offload({ bytes })));
    const count = program.schedule.graph.operations.filter(({ operator }) => operator === "move").length;
    return { bytes: program.arenaBytes, count };
  };
  const all = moves();
  const none = setting.engine.compile(scheduleOf(setting)).arenaBytes;
  let before = all.count;
  for (const share of [0.2, 0.6, 1]) {
    const budget = Math.ceil(all.bytes + share * (none - all.bytes));
    const { bytes, count } = moves(budget);
    assert.ok(bytes <= budget && count <= before, `${bytes} of ${budget}, ${count} moves`);
    before = count;
  }
  assert.is(before, 0);
  assert.throws(
    () => moves(all.bytes - 64),
    /^memory: the budget must hold the smallest plan, got [\d,]+ B for at least/,
  );
});

test("time is planned by rooflines and the link: computed by hand", () => {
  const builder = new GraphBuilder(operatorTable, "time");
  const type = { shape: [10, 10], dtype: "float32" } as const;
  const x = builder.input("x", type, "data");
  // 2 · 10³ operations each and 1,200 bytes: 2,000 s at one a second.
  const product = (value: typeof x) => builder.apply("matmul", [value, value]);
  const first = product(x);
  const hosted = builder.apply("move", [first], { to: "host" });
  const second = product(x);
  const returned = builder.apply("move", [hosted], { to: "device" });
  const third = product(second);
  builder.output("y", builder.apply("matmul", [returned, third]));
  const graph = builder.build();
  const rates = { flopsPerSecond: 1, bytesPerSecond: 1e9 };
  // 400 bytes at 0.1 a second take 4,000 s: out from 2,000 to 6,000, while the device waits; computing to 8,000; back from
  // there to 12,000, beside the third product, which ends at 10,000; the last one waits 2,000 and ends at 14,000.
  assert.equal(planTime(graph, { ...rates, linkBytesPerSecond: 0.1 }), { seconds: 14000, waiting: 6000 });
  // A link of 0.4 takes 1,000 s: waited for once, and hidden behind the third product.
  assert.equal(planTime(graph, { ...rates, linkBytesPerSecond: 0.4 }), { seconds: 9000, waiting: 1000 });
  assert.is(planTime(graph, { flopsPerSecond: 1e9, bytesPerSecond: 1, linkBytesPerSecond: 1e9 }).seconds > 4800, true);
});

test("a faster link and moves that begin earlier wait less", () => {
  const engine = referenceEngine();
  const seconds = (options: Parameters<typeof strategies.offload>[0]): number =>
    scheduleOf({ engine, model: deep, batch: 64 }, strategies.offload(options)).strategy?.plannedSeconds ?? Number.NaN;
  const device = { flopsPerSecond: 1e9, bytesPerSecond: 1e10 };
  const slow = seconds({ device: { ...device, linkBytesPerSecond: 1e7 } });
  const ahead = seconds({ device: { ...device, linkBytesPerSecond: 1e7 }, ahead: 3 });
  const fast = seconds({ device: { ...device, linkBytesPerSecond: 1e12 } });
  assert.ok(fast < ahead && ahead < slow, `${fast}, ${ahead}, ${slow}`);
});

test("rates that are no rates are refused", () => {
  assert.throws(
    () => strategies.offload({ device: { linkBytesPerSecond: 0 } }),
    /^offload: linkBytesPerSecond must be/,
  );
  assert.throws(() => strategies.offload({ ahead: -1 }), /^offload: ahead must be above 0, got -1/);
});

test.run();

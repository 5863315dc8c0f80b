import * as assert from "uvu/assert";
import {
  type MemoryOption,
  makeSchedule,
  planSchedule,
  type Schedule,
  type StrategyName,
  strategies,
  strategiesOf,
  strategyNames,
} from "../../../lib/compiler/index.ts";
import { type Engine, referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import { type OperatorGraph, parseGraph, printGraph, verify } from "../../../lib/ir/index.ts";
import { validatePlan } from "../../../lib/memory/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { bytesOf, random } from "../../../lib/tensor/index.ts";
import { trainingGraph } from "../../../lib/training/index.ts";
import { targetOf } from "../../../lib/training/target.ts";
import { suite } from "../../support/suite.ts";

const test = suite("memory strategies");

const batch = 4;
const engines: readonly Engine[] = [referenceEngine(), wasmEngine()];

/** Networks of every shape that a strategy must cut: chains, statistics and counters, shortcuts. */
const models: Readonly<Record<string, nn.Model>> = {
  chain: nn.sequential([nn.flatten(), ...nn.repeat(8, [nn.dense(16), nn.tanh()]), nn.dense(10)], {
    input: [6, 6],
    seed: 3,
  }),
  convolutional: nn.sequential(
    [
      nn.reshape([1, 12, 12]),
      ...nn.repeat(3, [nn.convolution(4, { kernel: 3, padding: "same" }), nn.batchNorm(), nn.relu(), nn.dropout(0.3)]),
      nn.maxPool(2),
      nn.flatten(),
      nn.dense(10),
    ],
    { input: [12, 12], seed: 5 },
  ),
};

function graphOf(model: nn.Model): OperatorGraph {
  return trainingGraph(model, nn.sgd({ rate: 0.1, momentum: 0.9 }), { batch, loss: nn.crossEntropy() });
}

/** Every output after each of three steps, weights and states carried over. */
async function train(engine: Engine, schedule: Schedule, model: nn.Model): Promise<Map<string, number[]>> {
  const program = engine.compile(schedule);
  assert.equal(validatePlan(program.problem, program.plan), []);
  const execution = await engine.load(program);
  for (const [index, { data }] of model.initialise(1).entries()) {
    execution.input(model.parameters[index].name).set(data as never);
  }
  for (const [index, { data }] of model.initialStates().entries()) {
    execution.input(model.states[index].name).set(data as never);
  }
  execution.input("rate")[0] = 0.1;
  const results = new Map<string, number[]>();
  for (let step = 1; step <= 3; step++) {
    execution.input("input").set(random(step).uniform([batch, ...model.input]).data as never);
    execution.input("target").set(Int32Array.from({ length: batch }, (_, sample) => (sample * step) % 10) as never);
    execution.run();
    for (const { name } of program.schedule.graph.outputs) results.set(`${name} ${step}`, [...execution.output(name)]);
  }
  execution.dispose();
  return results;
}

for (const engine of engines) {
  test(`every strategy trains to the same bits on the ${engine.name} engine, in the bytes that were planned`, async () => {
    for (const [network, model] of Object.entries(models)) {
      const graph = graphOf(model);
      const expected = await train(engine, makeSchedule(graph), model);
      const moving = strategyNames.filter((name) => strategiesOf(name)[0].results === "the same bits");
      for (const name of moving) {
        const schedule = planSchedule(graph, strategiesOf(name), targetOf(engine));
        assert.equal(verify(schedule.graph, operatorTable), [], `${network}, ${name}`);
        const got = await train(engine, schedule, model);
        for (const [output, data] of expected) assert.equal(got.get(output), data, `${network}, ${name}, ${output}`);
      }
    }
  });
}

test("each strategy takes less than the one before: everything, in place, reused, checkpoints", () => {
  for (const engine of engines) {
    const deep = nn.sequential([nn.flatten(), ...nn.repeat(25, [nn.dense(32), nn.tanh()]), nn.dense(10)], {
      input: [8, 8],
    });
    const graph = graphOf(deep);
    const bytes = ["keep-everything", "in-place", "reuse", "checkpoint"].map(
      (name) => engine.compile(planSchedule(graph, strategiesOf(name as StrategyName), targetOf(engine))).arenaBytes,
    );
    for (let index = 1; index < bytes.length; index++) {
      // The wasm engine fuses what could be done in place.
      const fused = engine.name === "wasm" && index === 1;
      assert.ok(fused ? bytes[1] <= bytes[0] : bytes[index] < bytes[index - 1], `${engine.name}: ${bytes}`);
    }
  }
});

test("checkpoints repeat at most one forward pass, mark what they repeat, and count it", () => {
  const graph = graphOf(models.chain);
  const { graph: after, strategy } = planSchedule(graph, strategiesOf("checkpoint"), targetOf(referenceEngine()));
  const repeated = after.operations.filter(({ recomputed }) => recomputed);
  assert.ok(repeated.length > 0);
  assert.is(strategy?.recomputedOperations, repeated.length);
  const forward = graph.operations.filter(({ phase }) => phase === "forward").length;
  assert.ok(repeated.length < forward, `${repeated.length} of ${forward}`);
  assert.ok(strategy !== undefined && strategy.extraFlops > 0 && strategy.extraFlops < strategy.flops / 3);
  assert.equal(parseGraph(printGraph(after)), after, "the mark survives printing and parsing");
});

test("time steps that multiply their own input are cut between steps: O(√n) memory for one more forward pass", async () => {
  const engine = wasmEngine();
  for (const [layer, name] of [
    [nn.rnn(16, { stepwise: true }), "checkpoint"],
    [nn.lstm(16, { stepwise: true }), "checkpoint"],
    [nn.lstm(16, { stepwise: true }), "rematerialise"],
  ] as const) {
    const model = nn.sequential([layer, nn.dense(10)], { input: [49, 2], seed: 2 });
    const graph = graphOf(model);
    const [plain, schedule] = (["reuse", name] as const).map((one) =>
      planSchedule(graph, strategiesOf(one), targetOf(engine)),
    );
    const resident = graph.inputs.reduce((sum, { value }) => sum + bytesOf(value.type), 0);
    const [without, working] = [plain, schedule].map((one) => engine.compile(one).arenaBytes - resident);
    // 49 steps in 7 segments: 7 results and the inside of one.
    assert.ok(working < 0.6 * without, `${layer.label} ${name}: ${working}, ${without}`);
    const { flops, extraFlops } = schedule.strategy as NonNullable<Schedule["strategy"]>;
    assert.ok(extraFlops > 0 && extraFlops < 0.35 * flops, `${layer.label} ${name}: ${extraFlops} of ${flops}`);
    const [expected, got] = [await train(engine, plain, model), await train(engine, schedule, model)];
    for (const [output, data] of expected) assert.equal(got.get(output), data, `${layer.label} ${name}, ${output}`);
  }
});

test("revolve repeats less the more checkpoints it may keep, and refuses what is no number of them", () => {
  const engine = referenceEngine();
  const deep = nn.sequential([nn.flatten(), ...nn.repeat(25, [nn.dense(32), nn.tanh()]), nn.dense(10)], {
    input: [8, 8],
  });
  const graph = trainingGraph(deep, nn.sgd({ rate: 0.1 }), { batch: 64, loss: nn.crossEntropy() });
  const plans = [2, 4, 8].map((checkpoints) =>
    engine.compile(planSchedule(graph, [strategies.revolve({ checkpoints })], targetOf(engine))),
  );
  const work = plans.map(({ report }) => report.strategy?.extraFlops ?? Number.NaN);
  const bytes = plans.map(({ arenaBytes }) => arenaBytes);
  assert.ok(work[0] > work[1] && work[1] > work[2] && work[2] > 0, String(work));
  assert.ok(bytes[0] < bytes[1] && bytes[1] < bytes[2], String(bytes));
  assert.throws(
    () => strategies.revolve({ checkpoints: 0 }),
    /^revolve: checkpoints must be a whole number ≥ 1, got 0/,
  );
});

test("revolve keeps any budget of bytes with stages of unequal sizes, in the same bits, or says the smallest", async () => {
  const engine = wasmEngine();
  const model = nn.sequential(
    [
      nn.flatten(),
      ...[48, 16, 64, 24, 96, 16, 32, 80, 16, 48].flatMap((units) => [nn.dense(units), nn.tanh()]),
      nn.dense(10),
    ],
    { input: [6, 6], seed: 4 },
  );
  const graph = trainingGraph(model, nn.sgd({ rate: 0.1, momentum: 0.9 }), { batch: 256, loss: nn.crossEntropy() });
  const planned = (memory: MemoryOption): Schedule => planSchedule(graph, strategiesOf(memory), targetOf(engine));
  const { arenaBytes: most } = engine.compile(planned("reuse"));
  let smallest = Number.NaN;
  try {
    planned(strategies.revolve({ bytes: 1 }));
  } catch (error) {
    smallest = Number(/at least ([\d,]+) B/.exec((error as Error).message)?.[1].replaceAll(",", ""));
  }
  assert.ok(smallest < most, `${smallest}, ${most}`);
  let before = Number.POSITIVE_INFINITY;
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const bytes = Math.ceil(smallest + share * (most - smallest));
    const { report, arenaBytes } = engine.compile(planned(strategies.revolve({ bytes })));
    assert.ok(arenaBytes <= bytes, `${arenaBytes} of ${bytes}`);
    const { extraFlops } = report.strategy as NonNullable<typeof report.strategy>;
    assert.ok(extraFlops <= before, `${share}: ${extraFlops}, ${before}`);
    before = extraFlops;
  }
  assert.throws(
    () => planned(strategies.revolve({ bytes: smallest - 1 })),
    `at least ${smallest.toLocaleString("en")} B`,
  );
  assert.throws(() => strategies.revolve({ bytes: 1, checkpoints: 1 }), /^revolve: checkpoints or bytes must be given/);
  const small = graphOf(models.chain);
  const [plain, budget] = (["reuse", strategies.revolve({ bytes: 60_000 })] as const).map((memory) =>
    planSchedule(small, strategiesOf(memory), targetOf(engine)),
  );
  const [expected, got] = [await train(engine, plain, models.chain), await train(engine, budget, models.chain)];
  for (const [output, data] of expected) assert.equal(got.get(output), data, output);
});

test("the exact strategy repeats no more than the search within the same bytes, in the same bits, and says what is proved", async () => {
  const engine = wasmEngine();
  const model = nn.sequential([nn.flatten(), ...nn.repeat(3, [nn.dense(32), nn.relu()]), nn.dense(10)], {
    input: [6, 6],
    seed: 4,
  });
  const step = (samples: number): OperatorGraph =>
    trainingGraph(model, nn.sgd({ rate: 0.1, momentum: 0.9 }), { batch: samples, loss: nn.crossEntropy() });
  const planned = (graph: OperatorGraph, memory: MemoryOption): Schedule =>
    planSchedule(graph, strategiesOf(memory), targetOf(engine));
  const large = step(256);
  const [most, least] = (["reuse", "rematerialise"] as const).map(
    (name) => engine.compile(planned(large, name)).arenaBytes,
  );
  const bytes = Math.ceil(least + 0.5 * (most - least));
  const searched = planned(large, { budget: bytes }).strategy as NonNullable<Schedule["strategy"]>;
  const schedule = planned(large, strategies.exact({ bytes, seconds: 60 }));
  const { extraFlops, leastExtraFlops = 0, reason } = schedule.strategy as NonNullable<Schedule["strategy"]>;
  assert.ok(engine.compile(schedule).arenaBytes <= bytes);
  assert.ok(
    extraFlops <= searched.extraFlops && leastExtraFlops <= searched.extraFlops,
    `${extraFlops}, ${searched.extraFlops}`,
  );
  assert.match(reason, /proved by integer programme|^The plan of rematerialise, because|time ran out before a proof/);
  const small = graphOf(model);
  const { arenaBytes } = engine.compile(planned(small, "reuse"));
  const chosen = planned(small, strategies.exact({ bytes: arenaBytes - 1, seconds: 20 }));
  const [expected, got] = [await train(engine, makeSchedule(small), model), await train(engine, chosen, model)];
  for (const [output, data] of expected) assert.equal(got.get(output), data, output);
  const deep = nn.sequential([nn.flatten(), ...nn.repeat(40, [nn.dense(8), nn.relu()]), nn.dense(10)], {
    input: [6, 6],
  });
  assert.match(
    planned(graphOf(deep), strategies.exact()).strategy?.reason ?? "",
    /^The plan of rematerialise, because \d+ stored values are too many for the integer programme/,
  );
  assert.throws(() => strategies.exact({ seconds: 0 }), /^exact: seconds must be above 0, got 0/);
});

test("a budget is kept to the byte by what the engine plans, with less extra work the larger it is", () => {
  for (const engine of engines) {
    for (const [network, model] of Object.entries(models)) {
      const graph = graphOf(model);
      const arena = (memory: MemoryOption) =>
        engine.compile(planSchedule(graph, strategiesOf(memory), targetOf(engine)));
      const most = arena("reuse").arenaBytes;
      const least = arena("rematerialise").arenaBytes;
      let work = Number.POSITIVE_INFINITY;
      for (const share of [0, 0.3, 0.6, 1]) {
        const budget = Math.ceil(least + share * (most - least));
        const { arenaBytes, report } = arena({ budget });
        const extra = report.strategy?.extraFlops ?? Number.NaN;
        assert.ok(arenaBytes <= budget, `${engine.name}, ${network}: ${arenaBytes} of ${budget}`);
        assert.ok(
          extra <= work && extra >= (report.strategy?.leastExtraFlops ?? 0),
          `${engine.name}, ${network}: ${extra} after ${work}`,
        );
        work = extra;
      }
      assert.is(work, 0, "nothing is repeated where reuse is enough");
    }
  }
});

test("rematerialisation within a budget trains to the same bits", async () => {
  for (const engine of engines) {
    for (const [network, model] of Object.entries(models)) {
      const graph = graphOf(model);
      const expected = await train(engine, makeSchedule(graph), model);
      const most = engine.compile(makeSchedule(graph)).arenaBytes;
      const least = engine.compile(planSchedule(graph, strategiesOf("rematerialise"), targetOf(engine))).arenaBytes;
      for (const budget of [least, (least + most) / 2]) {
        const schedule = planSchedule(graph, strategiesOf({ budget }), targetOf(engine));
        const repeated = schedule.strategy?.recomputedOperations ?? Number.NaN;
        assert.ok(least === most ? repeated === 0 : repeated > 0, `${engine.name}, ${network}: ${repeated}`);
        const got = await train(engine, schedule, model);
        for (const [output, data] of expected) assert.equal(got.get(output), data, `${network}, ${budget}, ${output}`);
      }
    }
  }
});

test("a percentage is of what keeping everything takes beyond weights and states", () => {
  const engine = referenceEngine();
  const graph = graphOf(models.chain);
  const compiled = (memory: MemoryOption) =>
    engine.compile(planSchedule(graph, strategiesOf(memory), targetOf(engine)));
  const resident = graph.inputs
    .filter(({ role }) => role !== "data")
    .reduce((sum, { value }) => sum + bytesOf(value.type), 0);
  const everything = compiled("keep-everything").arenaBytes - resident;
  assert.ok(compiled({ budget: "40%" }).arenaBytes <= resident + 0.4 * everything);
});

test("a smaller last batch may take the bytes that a percentage means for the whole one", () => {
  const engine = referenceEngine();
  const optimizer = nn.sgd({ rate: 0.1, momentum: 0.9 });
  const repeated = (memory: ReturnType<typeof strategiesOf>, samples: number): number => {
    const graph = trainingGraph(models.chain, optimizer, { batch: samples, loss: nn.crossEntropy() });
    const { strategy } = planSchedule(graph, memory, targetOf(engine));
    return strategy?.recomputedOperations ?? Number.NaN;
  };
  const share = { budget: "15%" };
  assert.ok(repeated(strategiesOf(share), 32) > 0, "by itself a batch of 32 has to repeat something");
  const shared = strategiesOf(share);
  assert.ok(repeated(shared, 256) > 0);
  assert.is(repeated(shared, 32), 0, "in the bytes of the whole batch it has not");
});

test("a budget that nothing fits is refused with the smallest plan and the step that sets it", () => {
  assert.throws(
    () => planSchedule(graphOf(models.chain), strategiesOf({ budget: 1000 }), targetOf(referenceEngine())),
    /^memory: the budget must hold the smallest plan, got 1,000 B for at least [\d,]+ B \(its peak is at \w+.*\); raise/,
  );
  for (const budget of ["40", "-1%", 0, Number.NaN]) {
    assert.throws(() => strategiesOf({ budget }), /^memory: a budget must be bytes or a percentage, got /);
  }
});

test("the smallest budget that is named is kept, a byte less is refused, and no strategy of the same bits goes below it", () => {
  const engine = referenceEngine();
  for (const widths of [
    [32, 32, 32],
    [64, 8, 64],
    [16, 16, 16, 16, 16, 16],
  ]) {
    const model = nn.sequential(
      [nn.flatten(), ...widths.flatMap((units) => [nn.dense(units), nn.tanh()]), nn.dense(10)],
      {
        input: [6, 6],
      },
    );
    const graph = trainingGraph(model, nn.sgd({ rate: 0.1 }), { batch: 128, loss: nn.crossEntropy() });
    const bytesOfPlan = (memory: MemoryOption): number =>
      engine.compile(planSchedule(graph, strategiesOf(memory), targetOf(engine))).arenaBytes;
    let smallest = Number.NaN;
    try {
      bytesOfPlan({ budget: 1 });
    } catch (error) {
      smallest = Number(/at least ([\d,]+) B/.exec((error as Error).message)?.[1].replaceAll(",", ""));
    }
    assert.ok(bytesOfPlan({ budget: smallest }) <= smallest, `${widths}: ${smallest}`);
    assert.throws(() => bytesOfPlan({ budget: smallest - 1 }), `at least ${smallest.toLocaleString("en")} B`);
    for (const name of ["reuse", "checkpoint", "revolve", "rematerialise"] as const) {
      assert.ok(bytesOfPlan(name) >= smallest, `${widths}, ${name}`);
    }
  }
});

test("what counts or averages from step to step is never repeated", () => {
  const { graph } = planSchedule(
    graphOf(models.convolutional),
    strategiesOf("checkpoint"),
    targetOf(referenceEngine()),
  );
  const repeated = graph.operations.filter(({ recomputed }) => recomputed);
  assert.ok(repeated.some(({ operator }) => operator === "convolution2d" || operator === "dropout"));
  assert.not.ok(repeated.some(({ operator }) => operator === "increment"));
});

test("an unknown strategy is refused with the names that there are", () => {
  assert.throws(
    () => strategiesOf("checkpoints" as never),
    /^memory: a strategy must be known, got "checkpoints"; there are keep-everything, in-place, reuse, sample-blocks/,
  );
});

test.run();

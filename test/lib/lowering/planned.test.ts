import * as assert from "uvu/assert";
import { chips, devices, type Target } from "../../../lib/graph/index.ts";
import { bestCut, lower, type PlannedProgram, type Work } from "../../../lib/lowering/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { BlockEngine, OutOfMemoryError, simulate } from "../../../lib/simulator/index.ts";
import { elementCount, random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";
import { compareTraining, trainingSchedule } from "../../support/training-pair.ts";

const test = suite("planned grain");

const mlp = () => nn.sequential([nn.flatten(), nn.dense(32), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 });
const convolution = (filters: number, stride = 1, kernel = 3) =>
  nn.convolution(filters, { kernel, stride, padding: kernel === 3 ? 1 : 0, bias: false });

/** Three residual blocks, of which one strides and projects. */
function smallResnet(): nn.Model {
  const block = (filters: number, stride: number, shortcut: nn.Layer[]): nn.Layer =>
    nn.residual([convolution(filters, stride), nn.batchNorm(), nn.relu(), convolution(filters), nn.batchNorm()], {
      shortcut,
      after: [nn.relu()],
    });
  const layers = [
    nn.reshape([1, 28, 28]),
    convolution(8, 2),
    nn.batchNorm(),
    nn.relu(),
    block(8, 1, []),
    block(20, 2, [convolution(20, 2, 1), nn.batchNorm()]),
    block(20, 1, []),
    nn.globalAveragePool(),
    nn.dense(10),
  ];
  return nn.sequential(layers, { input: [28, 28], seed: 1, name: "small ResNet" });
}

async function worstOf(model: nn.Model, batch: number, target: Target, optimizer?: nn.Optimizer): Promise<void> {
  const schedule = trainingSchedule(model, batch, optimizer);
  const engine = new BlockEngine(lower(schedule, target), { fit: false });
  const { worst, where } = await compareTraining(model, schedule, {
    write: (name, values) => engine.write(name, values),
    run: () => engine.run(),
    read: (name) => engine.read(name).data,
  });
  assert.ok(worst <= 1e-5, `${model.name} on ${target.name}: ${worst} at ${where}`);
}

test("training steps leave the values of the reference engine: dense, convolutional, residual and recurrent networks", async () => {
  await worstOf(mlp(), 24, devices.lecture);
  await worstOf(mlp(), 24, devices.gc200, nn.sgd({ rate: 0.1, momentum: 0.9 }));
  await worstOf(nn.models.lenet5(), 2, devices.lecture);
  await worstOf(smallResnet(), 2, devices.lecture);
  const lstm = nn.sequential([nn.lstm(24), nn.dense(10)], { input: [5, 12], seed: 1, name: "LSTM" });
  await worstOf(lstm, 4, devices.lecture);
});

test("the values are the same on one, two and four chips, and what goes between chips is reported", async () => {
  const schedule = trainingSchedule(nn.models.lenet5(), 2);
  const traffic: number[] = [];
  for (const count of [1, 2, 4]) {
    const target = chips(devices.lecture, count);
    await worstOf(nn.models.lenet5(), 2, target);
    const report = simulate(lower(schedule, target), { fit: false });
    traffic.push(report.linkBytes);
    assert.ok(report.linkBytes <= report.exchangedBytes);
  }
  assert.is(traffic[0], 0);
  assert.ok(traffic[1] > 0 && traffic[2] > 0);
  assert.throws(() => chips(devices.lecture, 3), /1, 2, 4, 8 or 16 chips, got 3/);
});

test("spread over one, two or four chips with as many tiles together, a network leaves the same values bit for bit", () => {
  const model = nn.models.lenet5();
  const schedule = trainingSchedule(model, 2);
  const draw = random(5);
  const given = new Map(
    schedule.graph.inputs.map(({ name, value: { type } }) => [
      name,
      Float32Array.from({ length: elementCount(type.shape) }, () =>
        type.dtype === "int32" ? integer(draw, 0, 9) : draw.nextUniform() / 10,
      ),
    ]),
  );
  const [alone, ...others] = [1, 2, 4].map((count) => {
    const part = { ...devices.lecture, tileCount: 16 / count };
    // Chips wait longer for each other, which the planner must not take for a reason to cut otherwise.
    const target = count === 1 ? { ...part, syncCycles: chips(part, 2).syncCycles } : chips(part, count);
    const engine = new BlockEngine(lower(schedule, target), { fit: false });
    for (const [name, values] of given) engine.write(name, values);
    engine.run();
    const { linkBytes } = engine.report();
    return { linkBytes, values: schedule.graph.outputs.map(({ name }) => engine.read(name).data) };
  });
  assert.is(alone.linkBytes, 0);
  for (const { linkBytes, values } of others) {
    assert.ok(linkBytes > 0);
    assert.equal(values, alone.values);
  }
});

test("the planner's cut is the best of all cuts", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const draw = random(seed);
    const items = [integer(draw, 1, 9), integer(draw, 1, 6), integer(draw, 1, 5)];
    const [a, b, c] = [integer(draw, 1, 400), integer(draw, 1, 400), integer(draw, 0, 60)];
    const work: Work = {
      name: "work",
      key: String(seed),
      axes: ["a", "b", "c"],
      items,
      cost: ([m, n, k], pieces) => ({
        computeCycles: 40 + c * m * n * k,
        inputBytes: a * m * k + b * k * n,
        outputBytes: 64 * m * n,
        reduceCycles: pieces[2] === 1 ? 0 : 10 * m * n,
        reduceBytes: pieces[2] === 1 ? 0 : (64 * m * n * (pieces[2] - 1)) / pieces[2],
      }),
    };
    const share = [0.6, 0.02, 0.002][seed % 3];
    const every = bestCut(work, devices.lecture, share, (count, most) =>
      Array.from({ length: Math.min(count, most) }, (_, index) => index + 1),
    );
    const chosen = bestCut(work, devices.lecture, share);
    assert.is(chosen.estimatedCycles, every.estimatedCycles, `seed ${seed}`);
    assert.ok(chosen.considered <= every.considered);
  }
});

test("for products and convolutions of small networks the planner's cuts are the best of all", () => {
  const mobile = nn.sequential(
    [
      nn.convolution(6, { kernel: 3, stride: 2 }),
      nn.convolution(6, { kernel: 3, groups: 6 }),
      nn.flatten(),
      nn.dense(7),
    ],
    { input: [3, 13, 13], seed: 1 },
  );
  for (const model of [mlp(), nn.models.lenet5(), smallResnet(), mobile]) {
    for (const [batch, precision] of [
      [1, "single"],
      [5, "half"],
    ] as const) {
      const schedule = trainingSchedule(model, batch);
      for (const target of [devices.lecture, { ...devices.lecture, name: "small", bytesPerTile: 8192 }]) {
        const chosen = lower(schedule, target, { precision }).plans;
        const every = lower(schedule, target, { precision, exhaustive: true }).plans;
        assert.is(chosen.length, every.length);
        for (const [index, { name, estimatedCycles, considered }] of every.entries()) {
          assert.is(chosen[index].estimatedCycles, estimatedCycles, `${model.name}, ${name}, batch ${batch}`);
          assert.ok(chosen[index].considered <= considered);
        }
      }
    }
  }
});

test("what does not fit is cut into serial steps, and still leaves the same values", async () => {
  const small = { ...devices.lecture, bytesPerTile: 8192 };
  const program = lower(trainingSchedule(nn.models.lenet5(), 4), small);
  assert.ok(
    program.plans.some(({ cut }) => cut.serial > 1),
    JSON.stringify(program.plans.map(({ cut }) => cut)),
  );
  await worstOf(nn.models.lenet5(), 4, small);
});

/** A network of pictures with averages, strides and a margin, whose rows are wider than they are many. */
function wide(): nn.Model {
  const layers = [
    nn.convolution(6, { kernel: 5, stride: 2, padding: 2 }),
    nn.relu(),
    nn.averagePool(3, { stride: 2 }),
    nn.convolution(10, { kernel: 3, padding: 1 }),
    nn.relu(),
    nn.maxPool(2),
    nn.flatten(),
    nn.dense(10),
  ];
  return nn.sequential(layers, { input: [3, 9, 41], seed: 1, name: "wide" });
}

test("where there are fewer rows than tiles, pictures are cut along columns as well, and values stay", async () => {
  for (const model of [wide(), nn.models.lenet5(), smallResnet()]) {
    const { plans } = lower(trainingSchedule(model, 1), devices.gc200);
    const pieces = (axis: string): number[] =>
      plans.flatMap(({ axes, cut }) => (axes.includes(axis) ? [cut.pieces[axes.indexOf(axis)]] : []));
    assert.ok(
      pieces("columns").some((count) => count > 1),
      model.name,
    );
    await worstOf(model, 1, devices.gc200);
    await worstOf(model, 3, devices.gc200);
  }
});

test("simulated cycles are within 1 % of the plans of AlexNet's products, convolutions and all their gradients", () => {
  for (const [batch, precision] of [
    [1, "single"],
    [16, "single"],
    [16, "half"],
  ] as const) {
    const { plans, ...program } = lower(trainingSchedule(nn.models.alexnet(), batch), devices.gc200, { precision });
    const { supersteps } = simulate(program, { fit: false });
    // A layer's two products of its backward pass have one name.
    const planned = new Map<string, number>();
    for (const { name, estimatedCycles } of plans) planned.set(name, (planned.get(name) ?? 0) + estimatedCycles);
    assert.is(planned.size, 5 + 3 + 3 + 4 + 5);
    for (const [name, estimatedCycles] of planned) {
      const own = supersteps.filter((superstep) => superstep.name === name || superstep.name.startsWith(`${name}/`));
      const cycles = own.reduce((sum, superstep) => sum + superstep.cycles, 0);
      assert.ok(
        Math.abs(cycles / estimatedCycles - 1) <= 0.01,
        `${name}, batch ${batch}, ${precision}: ${cycles} for ${estimatedCycles}`,
      );
    }
  }
});

test("at every step the sum over tiles and categories is what all buffers that are alive take", () => {
  for (const precision of ["single", "half"] as const) checkMemory(precision);
});

function checkMemory(precision: "single" | "half"): void {
  const program = lower(trainingSchedule(nn.models.lenet5(), 4), devices.lecture, { precision });
  const { memory } = new BlockEngine(program, { values: false, fit: false });
  const sum = (bytes: Float64Array): number => bytes.reduce((total, value) => total + value, 0);
  // The oracle walks forward: a memory is wanted from the step that fills it to the last that reads what was filled.
  const wanted = livenessForward(program);
  const size = (storage: number): number => {
    const { layout, type } = program.graph.variables[storage];
    return layout.elements * (type === "half" ? 2 : 4);
  };
  assert.is(
    program.graph.variables.some(({ type }) => type === "half"),
    precision === "half",
  );
  for (const [index, step] of memory.steps.entries()) {
    const alive = [...wanted].filter(([, intervals]) =>
      intervals.some(([start, end]) => start <= index && index <= end),
    );
    assert.is(
      sum(step.variables),
      alive.reduce((total, [storage]) => total + size(storage), 0),
      step.name,
    );
  }
  const always = program.graph.variables.filter(({ role }) => role !== "made" && role !== "data");
  assert.is(
    sum(memory.alwaysLive),
    always.reduce((total, { id }) => total + size(id), 0),
  );
  for (let tile = 0; tile < 16; tile++) {
    const { alwaysLive, vertexState, vertexCode, exchangeCode, controlCode } = memory;
    const fixed = alwaysLive[tile] + vertexState[tile] + vertexCode[tile] + exchangeCode[tile] + controlCode[tile];
    const most = Math.max(...memory.steps.map(({ variables, exchange }) => fixed + variables[tile] + exchange[tile]));
    assert.is(memory.peak[tile], most);
  }
}

/** Intervals of steps, both ends included, in which each memory that is not always alive is wanted. */
function livenessForward({ graph, outputs }: PlannedProgram): Map<number, [number, number][]> {
  const intervals = new Map<number, [number, number][]>();
  const kept = (storage: number): boolean => !["made", "data"].includes(graph.variables[storage].role);
  for (const { id, role } of graph.variables) if (role === "data") intervals.set(id, [[0, -1]]);
  for (const [index, step] of graph.steps.entries()) {
    if (step.kind !== "execute") throw new Error("this program has no copies");
    for (const { variable } of step.family.inputs) {
      const own = intervals.get(variable.storage);
      if (own !== undefined) own[own.length - 1][1] = index;
    }
    for (const { variable } of step.family.outputs) {
      if (kept(variable.storage)) continue;
      const own = intervals.get(variable.storage) ?? [];
      intervals.set(variable.storage, own);
      own.push([index, index]);
    }
  }
  for (const { variable } of outputs.values()) {
    const own = intervals.get(variable.storage);
    if (own !== undefined) own[own.length - 1][1] = graph.steps.length;
  }
  return intervals;
}

test("running out of memory tells the tile, the bytes, the superstep and the largest buffers, and keeps the profile", () => {
  const wide = nn.sequential([nn.flatten(), nn.dense(1500), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 });
  const program = lower(trainingSchedule(wide, 32), devices.lecture);
  try {
    new BlockEngine(program, { values: false });
    throw new Error("it fits");
  } catch (error) {
    assert.instance(error, OutOfMemoryError);
    const { tile, neededBytes, availableBytes, largest, memory, message } = error as OutOfMemoryError;
    assert.is(availableBytes, 65_536);
    assert.is(memory.peak[tile], neededBytes);
    assert.ok(memory.peak.every((bytes) => bytes <= neededBytes));
    assert.is(largest[0].name, '"dense1.weight"');
    assert.match(
      message,
      /^memory of tile \d+: a tile of Lecture has 65,536 B, got .*superstep "[^"]+"; largest: "dense1.weight"/,
    );
  }
  assert.throws(
    () => lower(trainingSchedule(mlp(), 2), devices.lecture, { memoryShare: 0 }),
    /share of memory must be above 0/,
  );
});

test("an engine that counts costs only computes nothing, and says so", () => {
  const engine = new BlockEngine(lower(trainingSchedule(mlp(), 8), devices.lecture), { values: false, fit: false });
  assert.throws(() => engine.write("rate", 1), /counts costs only has no values/);
  assert.throws(
    () => new BlockEngine(lower(trainingSchedule(mlp(), 8), devices.lecture), { fit: false }).read("dense9"),
    /must be one of input, .*got "dense9"/,
  );
  const once = engine.run().report().cycles;
  assert.is(engine.run().report().cycles, 2 * once);
});

test.run();

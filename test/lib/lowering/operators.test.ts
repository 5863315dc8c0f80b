import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { referenceEngine } from "../../../lib/engine/index.ts";
import { devices } from "../../../lib/graph/index.ts";
import { GraphBuilder } from "../../../lib/ir/index.ts";
import { lower, tilesOf } from "../../../lib/lowering/index.ts";
import { type OperatorName, operators, operatorTable } from "../../../lib/ops/index.ts";
import { BlockEngine } from "../../../lib/simulator/index.ts";
import { decodeHalf, encodeHalf } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";
import { caseGraph, compareRunner, difference, drawInputs, type Runner } from "../engine/wasm-cases.ts";

const names = Object.keys(operators) as OperatorName[];
const positive: readonly OperatorName[] = ["log", "sqrt", "divide", "power"];

const onTiles: Runner = async (schedule, { seed, positive }) => {
  const machine = new BlockEngine(lower(schedule, devices.lecture), { fit: false });
  for (const [name, data] of drawInputs(schedule.graph, seed, { positive })) machine.write(name, data);
  machine.run();
  return new Map(schedule.graph.outputs.map(({ name }) => [name, machine.read(name).data]));
};

const planned = suite("the planned grain against the definition of every operator");

for (const operator of names) {
  planned(`${operator} gives what its definition gives, however it is cut`, async () => {
    for (let seed = 101; seed <= 104; seed++) {
      const options = { seed, positive: positive.includes(operator) };
      assert.is(await compareRunner(onTiles, caseGraph(operator, seed), options), "");
    }
  });
}

planned(
  "only the counter of steps, which is one number, is one vertex; words with several numbers are spread over tiles",
  () => {
    assert.equal(
      names.filter((name) => tilesOf(name) === "one vertex"),
      ["increment"],
    );
    const builder = new GraphBuilder(operatorTable, "words");
    const x = builder.input("x", { shape: [1024], dtype: "float32" }, "data");
    const words = builder.apply("pack", [x], { format: "bfloat16" });
    const back = builder.apply("unpack", [words], { format: "bfloat16" });
    const rows = builder.apply("reshape", [back], { shape: [32, 32] });
    const largest = builder.apply("max", [builder.apply("abs", [rows])], { axes: [1] });
    const small = builder.apply("quantize", [rows, largest]);
    builder.output("y", builder.apply("dequantize", [small, largest]));
    const { graph } = lower(makeSchedule(builder.build()), devices.lecture);
    for (const operator of ["pack", "unpack", "quantize", "dequantize"]) {
      const tiles = graph.families
        .filter((family) => family.operator === operator)
        .flatMap((family) => [...family.tiles]);
      assert.is(new Set(tiles).size, 16, operator);
    }
  },
);

planned.run();

const halves = suite("half precision against the definition of every operator");

/** Inputs that a half can hold, so that both sides begin with the same numbers. */
const half = (value: number): number => decodeHalf("float16", encodeHalf("float16", value));

// Their cases go beyond the range of halves on purpose, and words of packed bits are not near each other.
const leftOut: readonly OperatorName[] = ["roundTo", "pack", "unpack"];

for (const operator of names.filter((name) => !leftOut.includes(name))) {
  halves(`${operator} on halves is the definition's result, off by 1/512 of the largest number at most`, async () => {
    for (let seed = 201; seed <= 203; seed++) {
      const schedule = makeSchedule(caseGraph(operator, seed));
      const engine = referenceEngine();
      const execution = await engine.load(engine.compile(schedule));
      const machine = new BlockEngine(lower(schedule, devices.lecture, { precision: "half" }), { fit: false });
      for (const [name, drawn] of drawInputs(schedule.graph, seed, { positive: positive.includes(operator) })) {
        const data = drawn.map(half);
        execution.input(name).set(data);
        machine.write(name, data);
      }
      execution.run();
      machine.run();
      for (const { name } of schedule.graph.outputs) {
        const { data, dtype } = machine.read(name);
        const got = dtype === "float16" ? Float32Array.from(data, (bits) => decodeHalf("float16", bits)) : data;
        const error = difference(execution.output(name), got);
        assert.ok(error <= 2 ** -9, `seed ${seed}: ${name} is off by ${error}`);
      }
      execution.dispose();
    }
  });
}

halves.run();

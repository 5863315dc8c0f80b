import * as assert from "uvu/assert";
import { type Engine, wasmEngine } from "../../../lib/engine/index.ts";
import { devices } from "../../../lib/graph/index.ts";
import { lowerFine } from "../../../lib/lowering/index.ts";
import { type OperatorName, operators } from "../../../lib/ops/index.ts";
import { BlockEngine } from "../../../lib/simulator/index.ts";
import { suite } from "../../support/suite.ts";
import { caseGraph, compareRunner, drawInputs, outputsOf, type Runner } from "./wasm-cases.ts";

const onEngine =
  (engine: Engine): Runner =>
  (schedule, options) =>
    outputsOf(engine, schedule, options);

const onVertices: Runner = async (schedule, { seed, positive }) => {
  const machine = new BlockEngine(lowerFine(schedule, devices.gc200));
  for (const [name, data] of drawInputs(schedule.graph, seed, { positive })) machine.write(name, data);
  machine.run();
  return new Map(schedule.graph.outputs.map(({ name }) => [name, machine.read(name).data]));
};

interface Implementation {
  readonly name: string;
  readonly run: Runner;
  readonly casesPerOperator: number;
}

/** What executes operators besides the reference, which is their definition. Whoever is added here is held to it. */
const implementations: readonly Implementation[] = [
  { name: "wasm on one thread", run: onEngine(wasmEngine({ threads: 1 })), casesPerOperator: 24 },
  { name: "wasm on two threads", run: onEngine(wasmEngine({ threads: 2 })), casesPerOperator: 6 },
  { name: "vertices at the fine grain", run: onVertices, casesPerOperator: 6 },
];

/** Operators that are tried on numbers above 0. */
const positive: readonly OperatorName[] = ["log", "sqrt", "divide", "power"];

for (const { name, run, casesPerOperator } of implementations) {
  const test = suite(`${name} against the definition of every operator`);
  for (const operator of Object.keys(operators) as OperatorName[]) {
    test(`${operator} gives what its definition gives, for random shapes around the edges of tiles`, async () => {
      for (let seed = 1; seed <= casesPerOperator; seed++) {
        const options = { seed, positive: positive.includes(operator) };
        assert.is(await compareRunner(run, caseGraph(operator, seed), options), "");
      }
    });
  }
  test.run();
}

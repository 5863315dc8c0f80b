import * as assert from "uvu/assert";
import { type Engine, wasmEngine } from "../../../lib/engine/index.ts";
import { type OperatorName, operators } from "../../../lib/ops/index.ts";
import { suite } from "../../support/suite.ts";
import { caseGraph, compareWithReference } from "./wasm-cases.ts";

/** What executes operators besides the reference, which is their definition. Whoever is added here is held to it. */
const implementations: readonly {
  readonly name: string;
  readonly engine: Engine;
  readonly casesPerOperator: number;
}[] = [
  { name: "wasm on one thread", engine: wasmEngine({ threads: 1 }), casesPerOperator: 24 },
  { name: "wasm on two threads", engine: wasmEngine({ threads: 2 }), casesPerOperator: 6 },
];

/** Operators that are tried on numbers above 0. */
const positive: readonly OperatorName[] = ["log", "sqrt", "divide", "power"];

for (const { name, engine, casesPerOperator } of implementations) {
  const test = suite(`${name} against the definition of every operator`);
  for (const operator of Object.keys(operators) as OperatorName[]) {
    test(`${operator} gives what its definition gives, for random shapes around the edges of tiles`, async () => {
      for (let seed = 1; seed <= casesPerOperator; seed++) {
        const options = { seed, positive: positive.includes(operator) };
        assert.is(await compareWithReference(engine, caseGraph(operator, seed), options), "");
      }
    });
  }
  test.run();
}

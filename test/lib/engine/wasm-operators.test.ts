import * as assert from "uvu/assert";
import { wasmEngine } from "../../../lib/engine/index.ts";
import { type OperatorName, operators } from "../../../lib/ops/index.ts";
import { suite } from "../../support/suite.ts";
import { caseGraph, compareWithReference } from "./wasm-cases.ts";

const test = suite("wasm engine against the definition of every operator");

const casesPerOperator = 24;
const positive: readonly OperatorName[] = ["log", "sqrt", "divide", "power"];

for (const operator of Object.keys(operators) as OperatorName[]) {
  test(`${operator} gives what its definition gives, for random shapes around the edges of tiles`, async () => {
    for (let seed = 1; seed <= casesPerOperator; seed++) {
      const options = { seed, positive: positive.includes(operator) };
      assert.is(await compareWithReference(wasmEngine(), caseGraph(operator, seed), options), "");
    }
  });
}

test.run();

import * as assert from "uvu/assert";
import { suite } from "../support/suite.ts";
import { cases, largestDifference, lossesOf } from "./cases.ts";
import { storedLosses } from "./torch-losses.ts";

// PyTorch and what it brings take gigabytes, so that its losses are stored; `npm run oracle` asks it again.
const test = suite("ten training steps beside PyTorch's");

const { torch, losses } = storedLosses();

test("PyTorch has been asked about every case, in the version that we compare with", () => {
  assert.match(torch, /^2\.13\.0/);
  assert.equal(Object.keys(losses), cases);
  for (const name of cases) assert.ok(losses[name].length === 10 && losses[name].every(Number.isFinite), name);
});

for (const name of cases) {
  for (const engine of ["wasm", "reference"] as const) {
    test(`${name} on the ${engine} engine: losses within 10⁻⁴`, async () => {
      const ours = await lossesOf(name, { engine, threads: 1 });
      const difference = largestDifference(ours, losses[name]);
      assert.ok(difference <= 1e-4, `${difference}: ${ours.join(" ")} for ${losses[name].join(" ")}`);
    });
  }
}

test.run();

import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { type Execution, referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import { factorsOf } from "../../../lib/engine/wasm/byte-expander.ts";
import { GraphBuilder } from "../../../lib/ir/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("inputs from bytes");

/** A program that gives its input back, so that nothing but the input is tested. */
async function load(engine: "reference" | "one thread" | "two threads", length: number): Promise<Execution> {
  const builder = new GraphBuilder(operatorTable, "bytes");
  const x = builder.input("x", { shape: [length], dtype: "float32" }, "data");
  builder.input("labels", { shape: [1], dtype: "int32" }, "data");
  builder.output("y", builder.apply("relu", [x]));
  const chosen = engine === "reference" ? referenceEngine() : wasmEngine({ threads: engine === "one thread" ? 1 : 2 });
  return chosen.load(chosen.compile(makeSchedule(builder.build())));
}

// Lengths around whole vectors of sixteen; the longest is shared among threads.
const lengths = [1, 2, 15, 16, 17, 31, 64, 255, 784, 50_176] as const;
// Powers of two, the usual ones, and some of which the sum of two factors may not be exact.
const scales = [1, 1 / 255, 1 / 256, 1 / 127.5, 0.1, 3, Math.PI, 1e-3, 1e-30, 1e-42, -0.5, 0] as const;

for (const engine of ["reference", "one thread", "two threads"] as const) {
  test(`are each byte times the scale as float32, whatever length and scale: ${engine}`, async () => {
    for (const length of lengths) {
      const execution = await load(engine, length);
      for (const [index, scale] of scales.entries()) {
        const draw = random(17 + index);
        const given = Uint8Array.from({ length }, (_, i) => (i < 256 ? 255 - i : draw.next()));
        execution.inputBytes("x", scale, (bytes) => {
          assert.is(bytes.length, length);
          bytes.set(given);
        });
        const expected = Float32Array.from(given, (byte) => byte * scale);
        assert.equal(execution.input("x"), expected, `${length} bytes times ${scale}`);
        execution.run();
        assert.equal(execution.output("y")[0] + 0, Math.max(0, expected[0]) + 0);
      }
      execution.dispose();
    }
  });

  test(`are refused for whole numbers: ${engine}`, async () => {
    const execution = await load(engine, 4);
    assert.throws(() => execution.inputBytes("labels", 1, () => {}), /bytes must be given to an input of floats/);
    execution.dispose();
  });
}

test("factors of a scale give what the scale gives for every byte, or there are none", () => {
  const draw = random(23);
  let exact = 0;
  for (let count = 0; count < 2000; count++) {
    const scale = 10 ** (20 * draw.nextUniform() - 10);
    const factors = factorsOf(scale);
    if (factors === null) continue;
    exact++;
    for (let byte = 0; byte < 256; byte++) {
      const sum = Math.fround(Math.fround(byte * factors[0]) + Math.fround(byte * factors[1]));
      assert.is(sum, Math.fround(byte * scale), `${byte} times ${scale}, seed 23`);
    }
  }
  assert.ok(exact > 1900, `${exact} of 2000 scales have factors`);
  assert.ok(factorsOf(1 / 255) !== null);
});

test.run();

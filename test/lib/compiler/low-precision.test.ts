import * as assert from "uvu/assert";
import { makeSchedule, strategies } from "../../../lib/compiler/index.ts";
import { type Engine, referenceEngine, wasmEngine } from "../../../lib/engine/index.ts";
import { GraphBuilder } from "../../../lib/ir/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { decodeHalf, random } from "../../../lib/tensor/index.ts";
import { denseTower, relativeDifference, scheduleOf, trainBy } from "../../support/strategy-training.ts";
import { suite } from "../../support/suite.ts";

const test = suite("low-precision storage");

const engines: readonly Engine[] = [referenceEngine(), wasmEngine()];
const formats = ["float16", "bfloat16"] as const;

const model = nn.sequential(
  [
    nn.reshape([1, 12, 12]),
    ...nn.repeat(3, [nn.convolution(4, { kernel: 3, padding: "same" }), nn.batchNorm(), nn.relu(), nn.dropout(0.3)]),
    nn.maxPool(2),
    nn.flatten(),
    nn.dense(32),
    nn.tanh(),
    nn.dense(10),
  ],
  { input: [12, 12], seed: 5 },
);

/** What a graph of one input makes of a vector. */
async function run(
  engine: Engine,
  inputs: Readonly<Record<string, Float32Array | Int32Array>>,
  build: (
    builder: GraphBuilder,
    values: readonly ReturnType<GraphBuilder["input"]>[],
  ) => ReturnType<GraphBuilder["apply"]>,
): Promise<Float32Array> {
  const builder = new GraphBuilder(operatorTable, "vector");
  const values = Object.entries(inputs).map(([name, data]) => {
    const dtype = data instanceof Int32Array ? "int32" : "float32";
    return builder.input(name, { shape: [data.length], dtype }, "data");
  });
  builder.output("y", build(builder, values));
  const execution = await engine.load(engine.compile(makeSchedule(builder.build())));
  for (const [name, data] of Object.entries(inputs)) execution.input(name).set(data as never);
  execution.run();
  const result = execution.output("y").slice() as Float32Array;
  execution.dispose();
  return result;
}

/** Fails at the first element that differs; NaN is NaN, and −0 is not 0. */
function assertSame(got: Float32Array, expected: Float32Array, what: string): void {
  assert.is(got.length, expected.length, what);
  const place = expected.findIndex((value, index) => !Object.is(got[index], value));
  assert.is(place, -1, `${what}: ${got[place]} for ${expected[place]} at ${place}`);
}

for (const engine of engines) {
  test(`every 16-bit pattern is read as its number and stored again as the same bits (${engine.name})`, async () => {
    const words = Int32Array.from({ length: 32768 }, (_, low) => low | ((low + 32768) << 16));
    for (const format of formats) {
      const numbers = await run(engine, { words }, (builder, [value]) => builder.apply("unpack", [value], { format }));
      const expected = Float32Array.from({ length: 65536 }, (_, bits) => decodeHalf(format, bits));
      assertSame(numbers, expected, format);
      const again = await run(engine, { numbers }, (builder, [value]) => builder.apply("pack", [value], { format }));
      // NaN has many patterns and comes back as one of them.
      const wrong = new Int32Array(again).findIndex(
        (word, low) =>
          (!Number.isNaN(numbers[low]) && (word & 0xffff) !== low) ||
          (!Number.isNaN(numbers[low + 32768]) && word >>> 16 !== low + 32768),
      );
      assert.is(wrong, -1, `${format}, word ${wrong}`);
    }
  });

  test(`what is stored in 16 bits is what roundTo rounds to, ties, overflow, infinities and NaN (${engine.name})`, async () => {
    const special = [
      0,
      -0,
      65504,
      65519.99,
      65520,
      -1e9,
      1e-8,
      2 ** -25,
      3 * 2 ** -25,
      2 ** -14 - 2 ** -26,
      1 + 2 ** -11,
    ];
    const drawn = random(3)
      .uniform([4084])
      .data.map((value, index) => (value - 0.5) * 2 ** ((index % 60) - 40));
    const numbers = Float32Array.from([
      ...special,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      ...drawn,
    ]);
    for (const format of formats) {
      const stored = await run(engine, { x: numbers.subarray(0, 4096) }, (builder, [x]) =>
        builder.apply("unpack", [builder.apply("pack", [x], { format })], { format }),
      );
      const rounded = await run(engine, { x: numbers.subarray(0, 4096) }, (builder, [x]) =>
        builder.apply("roundTo", [x], { format }),
      );
      assertSame(stored, rounded, format);
    }
  });

  test(`8-bit numbers are within 1/254 of their block's largest, which stays as it is (${engine.name})`, async () => {
    const [blocks, size] = [6, 64];
    const x = random(7)
      .uniform([blocks * size])
      .data.map((value, index) => (value - 0.5) * 10 ** (index >> 6));
    x.fill(0, 0, size);
    x[5 * size + 1] = Number.NaN;
    const got = await run(engine, { x: Float32Array.from(x) }, (builder, [value]) => {
      const rows = builder.apply("reshape", [value], { shape: [blocks, size] });
      const largest = builder.apply("max", [builder.apply("abs", [rows])], { axes: [1] });
      const back = builder.apply("dequantize", [builder.apply("quantize", [rows, largest]), largest]);
      return builder.apply("reshape", [back], { shape: [blocks * size] });
    });
    assert.ok(
      got.subarray(0, size).every((value) => value === 0),
      "a block of zeros",
    );
    assert.ok(got.subarray(5 * size).every(Number.isNaN), "NaN is not hidden");
    for (let block = 1; block < 5; block++) {
      const [before, after] = [x, got].map((data) => data.subarray(block * size, (block + 1) * size));
      const largest = before.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      for (const [index, value] of before.entries()) {
        assert.ok(Math.abs(after[index] - value) <= (largest / 254) * (1 + 1e-6), `${value} became ${after[index]}`);
        if (Math.abs(value) === largest) assert.ok(Math.abs(after[index] - value) <= largest * 1e-7);
      }
    }
  });

  test(`the first loss has the same bits, and weights after it are within the tolerance of the format (${engine.name})`, async () => {
    const setting = { engine, model, batch: 8 };
    const plain = await trainBy(setting, scheduleOf(setting));
    // Gradients are sums of products with one rounded factor: off by about the factor's rounding.
    const tolerances = { float16: 2e-3, bfloat16: 2e-2, "8-bit": 5e-2 } as const;
    for (const [format, tolerance] of Object.entries(tolerances)) {
      const { program, results } = await trainBy(setting, scheduleOf(setting, format as "float16"));
      assert.equal(results.get("loss 1"), plain.results.get("loss 1"), format);
      const name = "convolution2.weight 1";
      const [expected, got] = [plain, { results }].map((run) => run.results.get(name) as number[]);
      const difference = relativeDifference(expected, got);
      assert.ok(difference > 0 && difference < tolerance, `${format}: ${difference}`);
      assert.ok(program.arenaBytes < plain.program.arenaBytes, format);
      assert.match(program.report.strategy?.results ?? "", format);
      const packed = program.schedule.graph.operations.filter(({ operator }) => /^(pack|quantize)$/.test(operator));
      assert.ok(packed.length > 3, String(packed.length));
    }
  });

  test(`activations that a float16 holds exactly train to the same bits (${engine.name})`, async () => {
    const exact = nn.sequential(
      [nn.flatten(), ...nn.repeat(4, [nn.dense(16, { bias: false }), nn.relu()]), nn.dense(10)],
      {
        input: [4, 4],
      },
    );
    // Multiples of 1/64 below 16: eleven bits hold them, after four layers of sums, too.
    const weight = (element: number): number => ((element * 7) % 5) / 4 - 0.5;
    const sample = (element: number): number => (element % 4) / 4;
    const setting = { engine, model: exact, batch: 4, weight, sample };
    const plain = await trainBy(setting, scheduleOf(setting));
    const stored = await trainBy(setting, scheduleOf(setting, "float16"));
    for (const { name } of exact.parameters) {
      assert.equal(stored.results.get(`${name} 1`), plain.results.get(`${name} 1`), name);
    }
    assert.ok(stored.program.schedule.graph.operations.some(({ operator }) => operator === "unpack"));
  });

  test(`on top of checkpoints, only what checkpoints keep is stored in fewer bits (${engine.name})`, async () => {
    const setting = { engine, model: denseTower(16), batch: 64 };
    const arena = async (memory: Parameters<typeof scheduleOf>[1]) =>
      (await trainBy(setting, scheduleOf(setting, memory))).program.arenaBytes;
    const both = await arena(["checkpoint", "float16"]);
    assert.ok(both < (await arena("checkpoint")) && both < (await arena("float16")), String(both));
  });
}

test("an unknown format is refused", () => {
  assert.throws(
    () => strategies.lowPrecision({ format: "float8" as never }),
    /^low precision: the format must be one of float16, bfloat16, 8-bit, got "float8"; choose/,
  );
});

test.run();

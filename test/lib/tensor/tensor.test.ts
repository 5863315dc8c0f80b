import * as assert from "uvu/assert";
import {
  decodeHalf,
  encodeHalf,
  errorFunction,
  formatType,
  full,
  random,
  tensor,
  toNested,
  zeros,
} from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("host tensors");

test("nested numbers give shape and elements, and come back", () => {
  const matrix = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  assert.is(formatType(matrix), "float32[2,3]");
  assert.equal([...matrix.data], [1, 2, 3, 4, 5, 6]);
  assert.equal(toNested(matrix), [
    [1, 2, 3],
    [4, 5, 6],
  ]);
  assert.is(toNested(tensor(7)), 7);
  assert.equal(zeros([2, 0]).data.length, 0);
});

test("half precision tensors hold what their 16 bits can", () => {
  assert.equal(toNested(tensor([1.0009765625, 65504], { dtype: "float16" })), [1.0009765625, 65504]);
  assert.equal(toNested(full([2], Math.PI, "bfloat16")), [3.140625, 3.140625]);
});

test("ragged rows, a wrong count and bad extents are refused", () => {
  assert.throws(() => tensor([[1, 2], [3]]), "tensor: rows must have one shape, got [2] and [1] (row 1)");
  assert.throws(() => tensor([1, 2, 3], { shape: [2, 2] }), "got 3 values and [2,2] (4 elements)");
  assert.throws(() => zeros([2, -1]), "every extent must be a whole number ≥ 0, got -1 (axis 1 of [2,-1])");
});

for (const dtype of ["float16", "bfloat16"] as const) {
  test(`every finite ${dtype} decodes and encodes to itself`, () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = decodeHalf(dtype, bits);
      if (Number.isNaN(value)) continue;
      assert.is(encodeHalf(dtype, value), bits);
    }
  });

  test(`a number is encoded as the nearest ${dtype}, ties to the even one`, () => {
    const source = random(11);
    for (let trial = 0; trial < 20_000; trial++) {
      const exponent = dtype === "float16" ? -28 + 46 * source.nextUniform() : -140 + 260 * source.nextUniform();
      let value = (1 + source.nextUniform()) * 2 ** exponent;
      // Every fourth trial sits exactly between two neighbours.
      if (trial % 4 === 0) {
        const bits = encodeHalf(dtype, value);
        const middle = (decodeHalf(dtype, bits) + decodeHalf(dtype, bits + 1)) / 2;
        if (Number.isFinite(middle)) value = middle;
      }
      const bits = encodeHalf(dtype, value);
      const got = decodeHalf(dtype, bits);
      if (!Number.isFinite(got)) continue;
      const error = Math.abs(got - value);
      const neighbours = [decodeHalf(dtype, Math.max(0, bits - 1)), decodeHalf(dtype, bits + 1)];
      for (const neighbour of neighbours) {
        if (neighbour === got) continue;
        const other = Math.abs(neighbour - value);
        assert.ok(error < other || (error === other && bits % 2 === 0), `${value} became ${got}, not ${neighbour}`);
      }
    }
  });
}

test("what is too large becomes infinite at the right place", () => {
  assert.is(decodeHalf("float16", encodeHalf("float16", 65519.99)), 65504);
  assert.is(decodeHalf("float16", encodeHalf("float16", 65520)), Number.POSITIVE_INFINITY);
  assert.is(decodeHalf("bfloat16", encodeHalf("bfloat16", -3.4e38)), Number.NEGATIVE_INFINITY);
});

test("the error function is that of the tables, odd, and 1 far out", () => {
  // As Python's math.erf gives them.
  const known = [
    [1e-10, 1.1283791670955127e-10],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [5, 0.9999999999984626],
  ];
  for (const [x, expected] of known) {
    assert.ok(Math.abs(errorFunction(x) / expected - 1) < 1e-14, `${x}: ${errorFunction(x)}`);
    assert.is(errorFunction(-x), -errorFunction(x));
  }
  assert.is(errorFunction(40), 1);
  assert.is(errorFunction(0), 0);
  assert.ok(Number.isNaN(errorFunction(Number.NaN)));
});

test.run();

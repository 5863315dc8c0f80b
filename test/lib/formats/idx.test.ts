import * as assert from "uvu/assert";
import { parseIdx } from "../../../lib/formats/index.ts";
import { formatType } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("the IDX format");

function idx(
  type: number,
  shape: number[],
  elementBytes: number,
  write: (view: DataView, at: number) => void,
): Uint8Array {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const bytes = new Uint8Array(4 + 4 * shape.length + count * elementBytes);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, type, shape.length]);
  for (const [axis, extent] of shape.entries()) view.setUint32(4 + 4 * axis, extent);
  write(view, 4 + 4 * shape.length);
  return bytes;
}

test("bytes, ints, floats and doubles are read, big-endian", () => {
  const bytes = parseIdx(
    idx(8, [2, 2], 1, (view, at) => view.setUint32(at, 0x01020304)),
    "f",
  );
  assert.is(formatType(bytes), "uint8[2,2]");
  assert.equal([...bytes.data], [1, 2, 3, 4]);
  assert.equal(
    [
      ...parseIdx(
        idx(9, [1], 1, (view, at) => view.setInt8(at, -5)),
        "f",
      ).data,
    ],
    [-5],
  );
  assert.equal(
    [
      ...parseIdx(
        idx(11, [1], 2, (view, at) => view.setInt16(at, -300)),
        "f",
      ).data,
    ],
    [-300],
  );
  assert.equal(
    [
      ...parseIdx(
        idx(12, [1], 4, (view, at) => view.setInt32(at, -70000)),
        "f",
      ).data,
    ],
    [-70000],
  );
  assert.equal(
    [
      ...parseIdx(
        idx(13, [1], 4, (view, at) => view.setFloat32(at, 1.5)),
        "f",
      ).data,
    ],
    [1.5],
  );
  assert.equal(
    [
      ...parseIdx(
        idx(14, [1], 8, (view, at) => view.setFloat64(at, Math.PI)),
        "f",
      ).data,
    ],
    [Math.PI],
  );
});

test("a file that is cut, too long, or no IDX file at all is refused with its name", () => {
  const good = idx(8, [3], 1, () => {});
  assert.throws(
    () => parseIdx(good.subarray(0, 9), "digits"),
    "digits: [3] of unsigned byte must take 11 bytes, got 9 bytes",
  );
  assert.throws(() => parseIdx(new Uint8Array([...good, 0]), "digits"), "must take 11 bytes, got 12 bytes");
  assert.throws(() => parseIdx(good.subarray(0, 5), "digits"), "a header of rank 1 must have 8 bytes, got 5");
  assert.throws(() => parseIdx(new Uint8Array([1, 2]), "digits"), "four bytes of magic, got 2 bytes");
  assert.throws(() => parseIdx(new Uint8Array([80, 75, 3, 4]), "digits"), "two zero bytes, got 80 and 75");
  assert.throws(() => parseIdx(new Uint8Array([0, 0, 7, 0]), "digits"), "the element type must be one of 8, 9, 11");
});

test.run();

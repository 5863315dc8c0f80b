import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { encodeSafetensors, parseSafetensors } from "../../../lib/formats/index.ts";
import { full, type HostTensor, random, tensor, zeros } from "../../../lib/tensor/index.ts";
import { findPython } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("the safetensors format");

/** A file put together by hand, from its header and its tensors' bytes. */
function file(header: unknown, data: readonly number[] = [], padding = ""): Uint8Array {
  const json = new TextEncoder().encode((typeof header === "string" ? header : JSON.stringify(header)) + padding);
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

const entry = (dtype: string, shape: readonly number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

function said(bytes: Uint8Array): string {
  try {
    parseSafetensors(bytes, "w.safetensors");
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}

const sample = (): Map<string, HostTensor> =>
  new Map<string, HostTensor>([
    ["flags", { shape: [3], dtype: "bool", data: Uint8Array.of(1, 0, 1) }],
    ["bytes", tensor([1, 2, 255], { dtype: "uint8" })],
    ["half", tensor([1.5, -65504, 2 ** -24], { dtype: "float16" })],
    ["brain", tensor([[1.5, -3e38]], { dtype: "bfloat16" })],
    ["weight", random(3).normal([5, 7])],
    ["double", tensor([Math.PI, -0], { dtype: "float64" })],
    ["count", tensor(-70000, { dtype: "int32" })],
    ["empty", zeros([0, 4])],
  ]);

test("bytes written by hand are read, little-endian, also where elements are not aligned", () => {
  const header = {
    __metadata__: { made: "by hand" },
    b: entry("F32", [1, 2], 1, 9),
    a: entry("U8", [1], 0, 1),
    c: entry("I64", [], 9, 17),
    d: entry("I16", [2], 17, 21),
  };
  const data = [7, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0xfe, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0x80];
  const { tensors, metadata } = parseSafetensors(file(header, data, "  "), "hand");
  assert.equal([...metadata], [["made", "by hand"]]);
  assert.equal(
    [...tensors].map(([name, { dtype, shape, data: elements }]) => [name, dtype, shape, [...elements]]),
    [
      ["b", "float32", [1, 2], [1, -2]],
      ["a", "uint8", [1], [7]],
      ["c", "int32", [], [-2]],
      ["d", "int32", [2], [1, -32768]],
    ],
  );
});

test("what is written is the format to the byte: length, header padded to eight bytes, elements", () => {
  const bytes = encodeSafetensors(new Map([["w", tensor([1, -2])]]), new Map([["k", "v"]]));
  const json = '{"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
  const padded = json.padEnd(Math.ceil(json.length / 8) * 8);
  const expected = file(padded, [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
  assert.equal([...bytes], [...expected]);
});

test("every dtype comes back as it was, and each tensor is aligned to its elements", () => {
  const before = sample();
  const bytes = encodeSafetensors(before);
  const { tensors, metadata } = parseSafetensors(bytes, "memory");
  assert.is(metadata.size, 0);
  assert.is(tensors.size, before.size);
  for (const [name, value] of before) assert.equal(tensors.get(name), value, name);
  const begin = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.is(begin % 8, 0);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, begin)));
  for (const [name, { data }] of before) assert.is(header[name].data_offsets[0] % data.BYTES_PER_ELEMENT, 0, name);
});

test("a bad file is refused with its name, the place and what to do", () => {
  const float = entry("F32", [1], 0, 4);
  assert.is(
    said(new Uint8Array(5)),
    "w.safetensors: a file must begin with 8 bytes of length, got 5 bytes (byte 0); fetch or write the file again, or check that it is a safetensors file",
  );
  assert.match(said(file("{}").subarray(0, 9)), "the header must take at most 1 bytes, got 2 (byte 0)");
  assert.match(said(new Uint8Array(9).fill(255)), "must take at most 1 bytes, got 18446744073709551615");
  assert.match(said(file("{]")), /the header must be JSON in UTF-8, got ".*" \(bytes 8 to 10\)/);
  assert.match(said(file("[]")), "the header must be an object, got [] (byte 8)");
  assert.match(said(file({ __metadata__: { a: 1 } })), "metadata must be texts, got 1 (__metadata__.a)");
  assert.match(said(file({ w: { ...float, dtype: "F4" } }, [0, 0, 0, 0])), 'got "F4" (tensor "w")');
  assert.match(said(file({ w: { ...float, dtype: "toString" } }, [0, 0, 0, 0])), 'got "toString" (tensor "w")');
  assert.match(said(file({ w: null })), 'got none (tensor "w")');
  assert.match(said(file({ w: { ...float, shape: [-1] } })), 'whole numbers ≥ 0, got [-1] (tensor "w")');
  assert.match(said(file({ w: { ...float, data_offsets: [0] } })), 'two whole numbers ≥ 0, got [0] (tensor "w")');
  assert.match(said(file({ w: entry("F32", [2], 0, 4) }, [0, 0, 0, 0])), "F32[2] must take 8 bytes, got [0,4)");
  assert.match(
    said(file({ v: float, w: entry("F32", [1], 8, 12) }, new Array(12).fill(0))),
    'the next tensor must begin 4 bytes after the header, got 8 (tensor "w")',
  );
  assert.match(said(file({ v: float, w: float }, new Array(4).fill(0))), "must begin 4 bytes after the header, got 0");
  assert.match(said(file({ w: float }, new Array(5).fill(0))), /must take the file's \d+ bytes, got \d+/);
  const wide = file({ w: entry("I64", [1], 0, 8) }, [0, 0, 0, 0, 1, 0, 0, 0]);
  assert.match(said(wide), /must fit into 32 bits, got 4294967296 \(tensor "w", element 0, byte \d+\)/);
});

test("a file that claims more than it holds is refused before anything is set aside", () => {
  const claims = 2 ** 40;
  const before = process.memoryUsage().arrayBuffers;
  assert.match(said(file({ w: entry("F32", [claims], 0, 4 * claims) })), "header and tensors must take the file's");
  const huge = [2 ** 31, 2 ** 31, 2 ** 31];
  assert.match(said(file({ w: entry("F32", huge, 0, 8) }, new Array(8).fill(0))), "must take 3.9");
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 20);
});

test("ten thousand damaged files are read or refused by name, never anything else", () => {
  const whole = encodeSafetensors(sample(), new Map([["about", "fuzzing"]]));
  const source = random(11);
  for (let round = 0; round < 10_000; round++) {
    const bytes = whole.slice(0, source.next() % 4 === 0 ? source.next() % whole.length : whole.length);
    for (let edits = source.next() % 6; edits > 0 && bytes.length > 0; edits--) {
      // Most of the damage goes where it hurts: into the length and the header.
      const reach = source.next() % 3 === 0 ? bytes.length : Math.min(bytes.length, 500);
      bytes[source.next() % reach] = source.next() & 255;
    }
    try {
      let total = 0;
      for (const { data } of parseSafetensors(bytes, "fuzzed").tensors.values()) total += data.byteLength;
      assert.ok(total <= bytes.length, `round ${round}: ${total} bytes of ${bytes.length}`);
    } catch (error) {
      assert.match((error as Error).message, /^fuzzed: /, `round ${round} of seed 11`);
    }
  }
});

test("a tensor that is not as large as its shape, or is named as the metadata, is not written", () => {
  const lying: HostTensor = { shape: [3], dtype: "float32", data: new Float32Array(2) };
  assert.throws(() => encodeSafetensors(new Map([["w", lying]])), 'got 2 for float32[3] (tensor "w")');
  assert.throws(() => encodeSafetensors(new Map([["__metadata__", full([1], 1)]])), "must not be named");
});

test.run();

const found = findPython("safetensors", "numpy");
const python = suite("safetensors and Python's own library", "missing" in found && found.missing);
const folder = temporaryFolder();
const run = (script: string, ...paths: readonly string[]): string =>
  execFileSync("python" in found ? found.python : "", ["-c", script, ...paths], { encoding: "utf8" });

/** The dtypes that numpy knows too. */
const common = (): Map<string, HostTensor> => new Map([...sample()].filter(([, { dtype }]) => dtype !== "bfloat16"));

python("reads what we write", () => {
  const path = join(folder, "ours.safetensors");
  writeFileSync(path, encodeSafetensors(common(), new Map([["made by", "us"]])));
  const script = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], "np") as file:
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    print(json.dumps([file.metadata(), {n: [str(t.dtype), list(t.shape), t.astype("float64").ravel().tolist()] for n, t in tensors.items()}]))`;
  const [metadata, read] = JSON.parse(run(script, path));
  assert.equal(metadata, { "made by": "us" });
  for (const [name, { dtype, shape, data }] of common()) {
    const numbers = dtype === "float16" ? [1.5, -65504, 2 ** -24] : [...data];
    assert.equal(read[name], [dtype, [...shape], numbers], name);
  }
});

python("writes what we read", () => {
  const path = join(folder, "theirs.safetensors");
  const script = `
import sys
import numpy as np
from safetensors.numpy import save_file
save_file({
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 3,
    "steps": np.array([12345678901 - 12345678899], dtype=np.int64),
    "half": np.array([0.1], dtype=np.float16),
    "odd": np.array([True, False, True]),
}, sys.argv[1], metadata={"format": "np"})`;
  run(script, path);
  const { tensors, metadata } = parseSafetensors(readFileSync(path), path);
  assert.equal([...metadata], [["format", "np"]]);
  assert.equal(
    tensors.get("weight"),
    tensor(
      Float32Array.from([0, 1, 2, 3, 4, 5], (i) => i / 3),
      { shape: [2, 3] },
    ),
  );
  assert.equal(tensors.get("steps"), tensor([2], { dtype: "int32" }));
  assert.equal(tensors.get("half"), tensor([0.1], { dtype: "float16" }));
  assert.equal(tensors.get("odd"), { shape: [3], dtype: "bool", data: Uint8Array.of(1, 0, 1) });
});

python.run();

import * as assert from "uvu/assert";
import { checkClose, checkLossFalls, checkPeakBelow, checkShape, credit } from "../../../lib/checks/index.ts";
import { compile, nn } from "../../../lib/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("checks for assignments");

test("numbers alone, in lists, in typed arrays and in tensors are compared alike", () => {
  checkClose(0.1 + 0.2, 0.3);
  checkClose([1, [2, 3]].flat(), Float32Array.of(1, 2, 3));
  checkClose(
    [
      [1, 2],
      [3, 4],
    ],
    { shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) },
  );
  checkClose([Number.NaN, Number.POSITIVE_INFINITY], [Number.NaN, Number.POSITIVE_INFINITY]);
});

test("a difference names the worst place, both numbers and how many differ", () => {
  assert.throws(
    () =>
      checkClose(
        [
          [1, 2],
          [3, 4.5],
        ],
        [
          [1, 2.001],
          [3, 4],
        ],
      ),
    "checkClose: must be 4 within 0.000001 relative or 1e-9 absolute, got 4.5 at [1,1] (difference 0.500); 2 of 4 differ",
  );
  assert.throws(() => checkClose([1, Number.NaN], [5, 1]), /must be 1 .* got NaN at \[1\]/);
  assert.throws(() => checkClose([1, 2], [[1, 2]]), /shapes must be equal, got \[2\] and expected \[1,2\]/);
  assert.throws(() => checkClose([[1], [2, 3]], [[1], [2]]), /rows must have one shape/);
});

test("the tolerance is the reader's to choose", () => {
  checkClose(101, 100, { relative: 0.01 });
  assert.throws(() => checkClose(101.1, 100, { relative: 0.01 }));
  checkClose(0.5, 0, { absolute: 0.5 });
});

test("shapes are compared axis by axis; null takes any size", () => {
  checkShape({ shape: [3, 28, 28] }, [null, 28, 28]);
  checkShape([[1, 2, 3]], [1, 3]);
  assert.throws(() => checkShape({ shape: [3, 28] }, [null, 28, 28]), "checkShape: must be [any,28,28], got [3,28]");
});

test("a loss must fall, by as much as is asked for, and be a number", () => {
  checkLossFalls([2.3, 1.9, 1.2, 0.8]);
  checkLossFalls({ stepLosses: [2, 1] }, 1.5);
  assert.throws(() => checkLossFalls([1, 1, 1, 1]), /the loss must fall, got 1\.000 at first and 1\.000 at last/);
  assert.throws(() => checkLossFalls([2, 1], 3), /by a factor of 3/);
  assert.throws(() => checkLossFalls([2, Number.NaN, 1]), /got NaN at 1/);
  assert.throws(() => checkLossFalls([2]), /at least two losses/);
});

test("a program's peak must lie within its budget", () => {
  const program = compile(nn.sequential([nn.dense(4)], { input: [8] }), { batch: 2, engine: "reference" });
  const { bytes } = program.memory.peak;
  checkPeakBelow(program, bytes);
  checkPeakBelow(program.memory, bytes);
  assert.throws(() => checkPeakBelow(program, bytes - 1), new RegExp(`at most ${bytes - 1} bytes, got ${bytes}`));
});

test("credit gives equal parts of its points for the checks that hold, and says which do not", async () => {
  const said: string[] = [];
  const { log } = console;
  console.log = (text: string) => said.push(text);
  try {
    const earned = await credit(3, {
      "is two": () => checkClose(2, 2),
      "is three": () => checkClose(2, 3),
      "comes in time": async () => checkClose(await Promise.resolve(1), 1),
    });
    assert.is(earned, 2);
  } finally {
    console.log = log;
  }
  assert.is(said[0], "✓ is two");
  assert.match(said[1], /^✗ is three: checkClose: must be 3 .* got 2/);
  assert.is(said.length, 3);
});

test("patching Math, Number or JSON afterwards changes no check", () => {
  const { abs } = Math;
  const { stringify } = JSON;
  Math.abs = () => 0;
  JSON.stringify = () => "same";
  try {
    assert.throws(() => checkClose(1, 2));
    assert.throws(() => checkClose([1], [[1]]));
  } finally {
    Math.abs = abs;
    JSON.stringify = stringify;
  }
});

test.run();

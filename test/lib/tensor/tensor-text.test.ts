import * as assert from "uvu/assert";
import { full, isHostTensor, tensor, tensorText, tensorTitle, zeros } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("the text of a tensor");

const lines = (...text: string[]): string => text.join("\n");

test("is dtype, shape and the rows, in columns", () => {
  assert.is(
    tensorText(
      tensor([
        [1, 20],
        [-3, 0.5],
      ]),
    ),
    lines("tensor float32 [2,2]", "[[  1,  20],", " [ -3, 0.5]]"),
  );
  assert.is(tensorText(tensor(7)), "tensor float32 [] 7");
  assert.is(tensorText(zeros([0], "int32")), lines("tensor int32 [0]", "[]"));
  assert.is(
    tensorText(
      tensor(
        [
          [[1], [2]],
          [[3], [4]],
        ],
        { dtype: "uint8" },
      ),
    ),
    lines("tensor uint8 [2,2,1]", "[[[1],", "  [2]],", " [[3],", "  [4]]]"),
  );
});

test("has as many digits as say something, and tells halves by their value", () => {
  assert.is(tensorText(tensor([1 / 3, -0, Number.NaN])), lines("tensor float32 [3]", "[0.333333,       -0,      NaN]"));
  assert.is(tensorText(tensor([1.5], { dtype: "float16" })), lines("tensor float16 [1]", "[1.5]"));
});

test("leaves out the middle of what is too long to be read", () => {
  const text = tensorText(full([100, 28, 28], 1, "uint8"));
  assert.ok(text.startsWith(lines("tensor uint8 [100,28,28]", "[[[1, 1, 1, …, 1, 1, 1],", "  [1, 1, 1, …, 1, 1, 1],")));
  assert.ok(text.split("\n").length < 60, text);
});

test("says so when the elements are too few", () => {
  const broken = { ...tensor([1, 2]), shape: [3] };
  assert.is(tensorText(broken), "tensor float32 [3], but with 2 elements");
});

test("is given to what has the form of a tensor, and to nothing else", () => {
  assert.ok(isHostTensor(zeros([2])));
  assert.is(tensorTitle(zeros([2])), "tensor float32 [2]");
  for (const other of [{}, { shape: [1] }, { shape: [1], dtype: "text", data: [1] }, []])
    assert.not(isHostTensor(other));
});

test.run();

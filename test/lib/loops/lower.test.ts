import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { GraphBuilder, type Value } from "../../../lib/ir/index.ts";
import { fuse, lowerStep, printKernel } from "../../../lib/loops/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("lowering to loops");

/** The kernels of a graph with one output, as text. */
function textOf(build: (builder: GraphBuilder, input: (...shape: number[]) => Value) => Value): string {
  const builder = new GraphBuilder(operatorTable, "test");
  let count = 0;
  const input = (...shape: number[]): Value => builder.input(`x${count++}`, { shape, dtype: "float32" }, "data");
  builder.output("y", build(builder, input));
  return fuse(makeSchedule(builder.build()))
    .map((step) => printKernel(lowerStep(step)))
    .join("\n");
}

test("an element-wise operation on many axes becomes one loop through memory", () => {
  const text = textOf((builder, input) => builder.apply("add", [input(4, 5, 6), input(4, 5, 6)]));
  assert.is(
    text,
    [
      'kernel "add"',
      '  nest "add"',
      "    for ijl < 120 by 8 in lanes on any thread",
      "      %2[ijl] = add(%0[ijl], %1[ijl])",
    ].join("\n"),
  );
});

test("a bias along the middle axis keeps that axis apart", () => {
  const text = textOf((builder, input) => builder.apply("addBias", [input(4, 5, 6), input(5)], { axis: 1 }));
  assert.match(text, /%2\[30·i \+ 6·j \+ l\] = add\(%0\[30·i \+ 6·j \+ l\], %1\[j\]\)/);
});

test("a sum over neighbouring axes is one reduction, and over leading ones goes along the lanes", () => {
  const all = textOf((builder, input) => builder.apply("sum", [input(4, 5, 6)], { axes: [1, 2] }));
  assert.match(all, /%1\[i\] = sum\(r1r2 < 30: %0\[30·i \+ r1r2\]\)/);
  const columns = textOf((builder, input) => builder.apply("sum", [input(50, 64)], { axes: [0] }));
  assert.match(columns, /for i < 64 by 16 in lanes on any thread\n.*%1\[i\] = sum\(r0 < 50: %0\[64·r0 \+ i\]\)/);
});

test("a large product copies a few columns of its second operand at a time into a panel of the thread's own", () => {
  const text = textOf((builder, input) => builder.apply("matmul", [input(64, 128), input(128, 96)]));
  assert.is(
    text,
    [
      'kernel "matmul"',
      '  nest "matmul"',
      "    for j' < 12 on any thread",
      '      nest "pack"',
      "        for k < 128 on any thread",
      "          for j < 8 by 32 in lanes on any thread",
      "            scratch0[1024·thread + 8·k + j] = %1[96·k + 8·j' + j]",
      '      nest "matmul"',
      "        for i < 64 by 4 on any thread",
      "          for j < 8 by 8 in lanes on any thread",
      "            %2[96·i + 8·j' + j] = sum(k < 128: multiply(%0[128·i + k], scratch0[1024·thread + 8·k + j]))",
    ].join("\n"),
  );
});

test("a gradient of pictures of a convolution with strides is summed phase by phase, over no zeros", () => {
  const text = textOf((builder, input) =>
    builder.apply("convolution2dInputGradient", [input(1, 2, 4, 4), input(2, 1, 3, 3)], {
      stride: [2, 2],
      padding: [1, 1],
      size: [8, 8],
    }),
  );
  // Of a 3 × 3 kernel four phases meet 1, 2, 2 and 4 elements.
  const sums = [...text.matchAll(/sum\(([^:]*):/g)].map(([, axes]) => axes);
  assert.equal(sums, ["k < 2", "k < 2, kw < 2", "k < 2, kh < 2", "k < 2, kh < 2, kw < 2"]);
});

test("a convolution's weight gradient has its lanes along the sum where neighbours are neighbours in memory", () => {
  const text = textOf((builder, input) =>
    builder.apply("convolution2dWeightGradient", [input(8, 3, 28, 28), input(8, 16, 26, 26)], { kernel: [3, 3] }),
  );
  assert.not.match(text, /in lanes/);
  assert.match(text, /for i < 16 by 3 on any thread/);
});

test("a softmax's row-wise parts are computed once for each row", () => {
  const text = textOf((builder, input) => builder.apply("softmax", [input(64, 10)]));
  // One maximum and one sum, shared by name; the loop over the row stores.
  assert.is(text.match(/maximum\(c </g)?.length, 1);
  assert.is(text.match(/sum\(c </g)?.length, 1);
});

test("pictures' gradients leave out the products with the margin where rows near the edge are many", () => {
  const gradient = (size: number, kernel: number, padding: number): string =>
    textOf((builder, input) => {
      const maps = size + 2 * padding - kernel + 1;
      const operands = [input(4, 8, maps, maps), input(8, 3, kernel, kernel)];
      const attributes = { padding: [padding, padding], size: [size, size] };
      return builder.apply("convolution2dInputGradient", operands, attributes);
    });
  const loopsOver = (text: string): number => text.split('nest "convolution2dInputGradient"').length - 1;
  // Four rows at either edge, which meet one to four of the kernel's rows, and those between.
  assert.is(loopsOver(gradient(14, 5, 0)), 9);
  assert.is(loopsOver(gradient(28, 3, 1)), 1);
});

test.run();

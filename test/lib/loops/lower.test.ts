import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { GraphBuilder, type Value } from "../../../lib/ir/index.ts";
import { fuse, lowerGroup, printKernel } from "../../../lib/loops/index.ts";
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
    .map((step) => printKernel(lowerGroup(step)))
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

test("a large product packs its second operand into panels and then reads them in order", () => {
  const text = textOf((builder, input) => builder.apply("matmul", [input(64, 128), input(128, 96)]));
  assert.is(
    text,
    [
      'kernel "matmul"',
      '  nest "pack"',
      "    for k < 128 by 4 on any thread",
      "      for j < 96 by 8 in lanes on any thread",
      "        scratch0[128·⌊j⌋ + [j] + 8·k] = %1[96·k + j]",
      '  nest "matmul"',
      "    for j < 96 by 8 in lanes on any thread",
      "      for i < 64 by 4 on any thread",
      "        %2[96·i + j] = sum(k < 128: multiply(%0[128·i + k], scratch0[128·⌊j⌋ + [j] + 8·k]))",
    ].join("\n"),
  );
});

test("a softmax's row-wise parts are computed once for each row", () => {
  const text = textOf((builder, input) => builder.apply("softmax", [input(64, 10)]));
  // One maximum and one sum, shared by name; the loop over the row stores.
  assert.is(text.match(/maximum\(c </g)?.length, 1);
  assert.is(text.match(/sum\(c </g)?.length, 1);
});

test.run();

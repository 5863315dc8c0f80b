import * as assert from "uvu/assert";
import { formatMemoryCsv, parseMemoryCsv } from "../../../lib/memory/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("memory problems as CSV");

test("columns are read by name, in any order, with carriage returns and empty lines", () => {
  const { problem, names, plan } = parseMemoryCsv(
    "size,id,upper,lower,offset\r\n4,b1,3,-1,8\r\n\r\n0,b2,3,3,0\r\n",
    "p",
  );
  assert.equal(problem.buffers, [
    { id: 0, size: 4, alignment: 1, start: -1, end: 3 },
    { id: 1, size: 0, alignment: 1, start: 3, end: 3 },
  ]);
  assert.equal(names, ["b1", "b2"]);
  assert.equal(plan, { offsets: [8, 0], height: 12 });
  assert.is(parseMemoryCsv("id,lower,upper,size\n", "p").plan, undefined);
});

test("what is written reads back the same", () => {
  for (const alignment of [1, 64]) {
    const problem = {
      buffers: [
        { id: 0, size: 2 ** 40, alignment, start: 0, end: 5 },
        { id: 1, size: 7, alignment: 1, start: 2, end: 3 },
      ],
    };
    const plan = { offsets: [0, 2 ** 40], height: 2 ** 40 + 7 };
    const names = ["weights of layer 1", "x"];
    assert.equal(parseMemoryCsv(formatMemoryCsv(problem, plan, names), "p"), { problem, names, plan });
    assert.equal(parseMemoryCsv(formatMemoryCsv(problem), "p"), { problem, names: ["0", "1"], plan: undefined });
  }
});

test("damage is named with its line and column", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", 'columns must be id, lower, upper, size, alignment, offset, each once, got "" (line 1, column 1)'],
    ["id,lower,size,size", 'each once, got "size" (line 1, column 15)'],
    ["id,lower,upper", 'a column "size", got "id,lower,upper" (line 1, column 15)'],
    ["id,lower,upper,size\na,0,1", "must have 4 fields as the header has, got 3 (line 2, column 6)"],
    ["id,lower,upper,size\na,0,1,2\nb,0,x,2", '"upper" must be an integer ≥ 0, got "x" (line 3, column 5)'],
    ["id,lower,upper,size\na,5,4,2", '"upper" must be an integer ≥ 5, got "4" (line 2, column 5)'],
    ["id,lower,upper,size\na,0,1,-2", '"size" must be an integer ≥ 0, got "-2" (line 2, column 7)'],
    ["id,lower,upper,size\na,0,1,1e3", '"size" must be an integer ≥ 0, got "1e3" (line 2, column 7)'],
    ["id,lower,upper,size\na,0,1,9007199254740993", "(line 2, column 7)"],
    ["id,lower,upper,size,alignment\na,0,1,2,0", '"alignment" must be an integer ≥ 1, got "0" (line 2, column 9)'],
    ["id,lower,upper,size\na,1.5,2,2", '"lower" must be an integer, got "1.5" (line 2, column 3)'],
  ];
  for (const [text, message] of cases) assert.throws(() => parseMemoryCsv(text, "file.csv"), message);
  assert.throws(() => parseMemoryCsv("", "file.csv"), /^file\.csv: /);
});

test("a name that would break the table is refused", () => {
  const problem = { buffers: [{ id: 0, size: 1, alignment: 1, start: 0, end: 1 }] };
  assert.throws(() => formatMemoryCsv(problem, undefined, ["a,b"]), "must have no commas");
});

test.run();

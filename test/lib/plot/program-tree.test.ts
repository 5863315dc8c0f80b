import * as assert from "uvu/assert";
import { BlockEngine, compile, devices, lower, nn } from "../../../lib/index.ts";
import { programTree } from "../../../lib/plot/index.ts";
import { profileExecution } from "../../../lib/plot/machine/execution-profile.ts";
import { chooseOpenParts, measureTree, treeRows } from "../../../lib/plot/machine/program-tree.ts";
import { suite } from "../../support/suite.ts";
import { assertSoundDrawing } from "./svg.ts";

const test = suite("program trees and parts of executions");
const model = nn.sequential([nn.flatten(), nn.dense(16), nn.relu(), nn.dense(10)], { input: [12, 12], seed: 1 });
const program = compile(model, { optimizer: nn.sgd({ rate: 0.1 }), batch: 8 });
const machine = new BlockEngine(lower(program, devices.gc200)).run();
const tree = machine.programTree();
const report = machine.report();

test("the drawn tree has the report's cycles, and opens no more parts than there is room for", () => {
  assert.is(tree.root.cycles, report.cycles);
  const { parts } = measureTree(tree);
  for (const most of [1, 8, 20, 1000]) {
    const rows = treeRows(tree, chooseOpenParts(tree, most));
    assert.ok(rows.length <= Math.max(most, 1 + tree.functions.length), `${rows.length} rows of ${most}`);
    assert.is(new Set(rows.map(({ path }) => path)).size, rows.length);
    if (most === 1000) assert.is(rows.length, parts);
  }
});

test("it is a sound drawing, run or not", async () => {
  const svg = assertSoundDrawing(await programTree(tree).svg());
  assert.ok(svg.textContent!.replaceAll(",", "").includes(`${report.cycles} cycles`));
  const idle = new BlockEngine(lower(program, devices.gc200)).programTree();
  assert.match(assertSoundDrawing(await programTree(idle).svg()).textContent!, /not run yet/);
  const empty = { ...tree, root: { ...tree.root, parts: [] }, functions: [] };
  assert.match(assertSoundDrawing(await programTree(empty).svg()).textContent!, /the program has no parts/);
});

test("a part of an execution is cut as finely as the whole, and its pieces cover the part", () => {
  const [start, end] = [Math.floor(report.cycles * 0.4), Math.floor(report.cycles * 0.6)];
  const { columns, range, names } = profileExecution(report, [start, end]);
  assert.equal(range, [start, end]);
  const covered = columns.reduce((sum, { compute, exchange, sync }) => sum + compute + exchange + sync, 0);
  assert.ok(Math.abs(covered - (end - start)) < 1e-6 * covered, `${covered} of ${end - start} cycles`);
  for (const { name, superstep } of columns) assert.is(names[name], report.supersteps[superstep].name);
});

test.run();

import * as assert from "uvu/assert";
import type { GraphReport } from "../../../lib/compiler/index.ts";
import { compile, nn } from "../../../lib/index.ts";
import { layoutGraph } from "../../../lib/plot/graph/fold-layout.ts";
import {
  buildHierarchy,
  chooseOpen,
  type GraphGroup,
  leavesOf,
  operationsOf,
} from "../../../lib/plot/graph/hierarchy.ts";
import { figures, graph } from "../../../lib/plot/index.ts";
import { suite } from "../../support/suite.ts";
import { sampleGraph } from "./samples.ts";
import { assertSoundDrawing } from "./svg.ts";

const test = suite("graph figures");
const shallow = sampleGraph([784, 128, 10], 64, "shallow");
const deep = sampleGraph([784, ...new Array<number>(8).fill(64), 10], 64, "deep");
const huge = sampleGraph([784, ...new Array<number>(1100).fill(64), 10], 64, "huge");

function everythingOpen(root: GraphGroup): Set<string> {
  const open = new Set<string>();
  const visit = (group: GraphGroup): void => {
    open.add(group.path);
    group.children.forEach(visit);
  };
  visit(root);
  return open;
}

test("every operation stands in exactly one box of its own column, opened or closed", () => {
  for (const report of [shallow, deep, huge]) {
    const root = buildHierarchy(report);
    for (const open of [everythingOpen(root), chooseOpen(root, { rows: 40, boxes: 64 }), new Set<string>()]) {
      const { boxes } = layoutGraph(report, root, open);
      const seen = boxes.flatMap(({ operations }) => operations).sort((a, b) => a - b);
      assert.equal(
        seen,
        report.nodes.map(({ id }) => id),
      );
      for (const { column, operations } of boxes) {
        assert.ok(operations.every((id) => report.nodes[id].column === column));
      }
    }
  }
});

test("every edge is drawn or counted as not drawn, and lines carry all bytes of their edges", () => {
  for (const report of [shallow, deep, huge]) {
    const root = buildHierarchy(report);
    for (const open of [everythingOpen(root), chooseOpen(root, { rows: 40, boxes: 64 })]) {
      const { lines, hidden } = layoutGraph(report, root, open);
      const drawn = lines.flatMap(({ edges }) => edges);
      assert.is(new Set(drawn).size, drawn.length);
      assert.is(drawn.length + hidden.inside + hidden.outside, report.edges.length);
      for (const { bytes, edges } of lines) {
        assert.is(
          bytes,
          edges.reduce((sum, edge) => sum + report.edges[edge].bytes, 0),
        );
      }
    }
  }
});

test("boxes do not overlap, and forward goes down while gradients come back up", () => {
  const root = buildHierarchy(deep);
  const { boxes } = layoutGraph(deep, root, everythingOpen(root));
  for (const [index, one] of boxes.entries()) {
    for (const other of boxes.slice(index + 1)) {
      const apart =
        one.x + one.width <= other.x ||
        other.x + other.width <= one.x ||
        one.y + one.height <= other.y ||
        other.y + other.height <= one.y;
      assert.ok(apart, `boxes ${one.operations} and ${other.operations}`);
    }
  }
  const boxOf = new Map(boxes.flatMap((box) => box.operations.map((id) => [id, box] as const)));
  for (const { from, to } of deep.edges) {
    if (from === null) continue;
    const [source, target] = [boxOf.get(from)!, boxOf.get(to)!];
    if (source.column !== target.column) continue;
    if (source.column === "forward") assert.ok(source.y < target.y, `forward edge ${from} to ${to} goes down`);
    if (source.column === "input gradient") assert.ok(source.y > target.y, `gradient edge ${from} to ${to} goes up`);
  }
});

test("what an optimiser does to one parameter is one box, named after the parameter", async () => {
  const momentum = compile(
    nn.sequential([nn.flatten(), nn.dense(16), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 }),
    { loss: nn.crossEntropy(), optimizer: nn.sgd({ rate: 0.1, momentum: 0.9 }), batch: 8 },
  ).graph;
  const root = buildHierarchy(momentum);
  const { boxes } = layoutGraph(momentum, root, everythingOpen(root));
  const updates = boxes.filter(({ column }) => column === "update");
  assert.is(updates.length, 4);
  for (const { operations } of updates) {
    const parameters = momentum.edges.filter(({ to, source }) => source === "parameter" && operations.includes(to));
    assert.is(new Set(parameters.map(({ name }) => name)).size, 1);
  }
  const text = assertSoundDrawing(await graph(momentum).svg()).textContent!;
  assert.is(text.match(/update weight/g)?.length, 2);
  assert.is(text.match(/update bias/g)?.length, 2);
});

test("opening a layer leaves everything above it in place", () => {
  const root = buildHierarchy(deep);
  const closed = new Set([root.path]);
  const before = layoutGraph(deep, root, closed);
  const after = layoutGraph(deep, root, new Set([...closed, "dense5"]));
  const position = before.rows.findIndex(({ group }) => group.path === "dense5");
  assert.equal(
    after.rows.slice(0, position).map(({ y }) => y),
    before.rows.slice(0, position).map(({ y }) => y),
  );
  assert.ok(after.height > before.height);
});

test("layers too many to stand side by side are gathered in runs, in order and without loss", () => {
  const root = buildHierarchy(huge);
  const widest = (group: GraphGroup): number => Math.max(group.children.length, ...group.children.map(widest));
  assert.ok(widest(root) <= 40, `${widest(root)} siblings`);
  assert.equal(
    operationsOf(root),
    huge.nodes.map(({ id }) => id),
  );
  assert.equal(
    leavesOf(root).map(({ label }) => label),
    [...huge.layers, "loss"],
  );
});

test("paths of layers make blocks, and a block's own operations have a row beside its layers", () => {
  const nested: GraphReport = {
    kind: "operator-graph",
    title: "nested",
    layers: ["block1/conv1", "block1/conv2", "block2/conv1"],
    nodes: ["block1/conv1", "block1/conv2", "block1", "block2/conv1", ""].map((layer, id) => ({
      id,
      operator: "add",
      layer,
      column: "forward",
      types: ["float32[4]"],
      outputBytes: 16,
      flops: 4,
    })),
    edges: [0, 1, 2, 3].map((from) => ({
      from,
      to: from + 1,
      name: `%${from}`,
      type: "float32[4]",
      bytes: 16,
      source: "operation",
    })),
  };
  const root = buildHierarchy(nested);
  assert.equal(
    root.children.map(({ label, size }) => [label, size]),
    [
      ["block1", 3],
      ["block2", 1],
      ["loss", 1],
    ],
  );
  assert.equal(
    leavesOf(root).map(({ path }) => path),
    ["block1/conv1", "block1/conv2", "block1/*", "block2/conv1", "/*"],
  );
});

test("the picture is sound, and its caption counts what it leaves out", async () => {
  for (const report of [shallow, deep, huge]) {
    const svg = assertSoundDrawing(await graph(report).svg());
    const outside = report.edges.filter(
      ({ from, to }) => from === null && report.nodes[to].column !== "forward",
    ).length;
    assert.match(
      svg.textContent!.replaceAll(",", ""),
      new RegExp(`${outside} tensors read from outside by gradients and updates`),
    );
  }
});

test("ten thousand operators stay below a megabyte in the notebook", async () => {
  const bundle = await figures["operator-graph"](
    sampleGraph([784, ...new Array<number>(1120).fill(64), 10], 64),
  ).bundle();
  assert.ok("application/vnd.tessera.v1+json" in bundle);
  assert.ok(JSON.stringify(bundle).length < 1_000_000);
});

test("one operator makes a graph, and none makes a card that says so", async () => {
  const one = { ...shallow, nodes: shallow.nodes.slice(0, 1), edges: [] };
  assertSoundDrawing(await graph(one).svg());
  const none = { ...shallow, nodes: [], edges: [] };
  assert.match(assertSoundDrawing(await graph(none).svg()).textContent!, /no operators/);
});

test.run();

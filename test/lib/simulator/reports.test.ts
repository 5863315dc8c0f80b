import { spawnSync } from "node:child_process";
import * as assert from "uvu/assert";
import { devices, takeCensus } from "../../../lib/graph/index.ts";
import type { OperatorGraph } from "../../../lib/ir/index.ts";
import { type LoweredProgram, lower, lowerFine } from "../../../lib/lowering/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import {
  BlockEngine,
  type ComparableReport,
  compareReports,
  compareRuns,
  type ExecutionReport,
  formatComparison,
  formatReportComparison,
  perfettoTrace,
  type ReportComparison,
  simulate,
} from "../../../lib/simulator/index.ts";
import { inferenceGraph } from "../../../lib/training/index.ts";
import { findPython } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";

function graphOfMlp(batch = 8): OperatorGraph {
  const layers = [nn.flatten(), ...nn.repeat(4, [nn.dense(64), nn.relu()]), nn.dense(10)];
  const model = nn.sequential(layers, { input: [28, 28], seed: 1 });
  return inferenceGraph(model, { batch, loss: nn.crossEntropy() });
}

const graphOf = (outline: boolean, batch = 8): LoweredProgram => lower(graphOfMlp(batch), devices.lecture, { outline });

const run = (outline: boolean): ExecutionReport => simulate(graphOf(outline), { fit: false });

const test = suite("reports of runs");

test("two runs are compared figure by figure, and the supersteps that differ most come first", () => {
  const [before, after] = [run(false), run(true)];
  const { figures, supersteps, names } = compareRuns(before, after, ["plain", "outlined"]);
  const [cycles] = figures;
  assert.equal([cycles.name, cycles.before, cycles.after], ["cycles", before.cycles, after.cycles]);
  assert.is(cycles.ratio, after.cycles / before.cycles);
  assert.is(
    supersteps.reduce((sum, figure) => sum + figure.after, 0),
    after.cycles,
  );
  const differences = supersteps.map((figure) => Math.abs(figure.after - figure.before));
  assert.equal(
    differences,
    [...differences].sort((a, b) => b - a),
  );
  const text = formatComparison({ kind: "execution-comparison", names, figures, supersteps });
  assert.ok(text.includes("plain") && text.includes("fullest tile's bytes"), text);
});

/** A comparison's number of the whole. */
const whole = ({ figures }: ReportComparison, name: string): readonly number[] =>
  figures.filter((figure) => figure.name === name).flatMap(({ before, after }) => [before, after]);

test("two censuses are compared: vertices of layers add up to those of the whole, and what differs most comes first", () => {
  const census = (batch: number) => {
    const { graph, rule } = graphOf(false, batch);
    return takeCensus(graph, "MLP", rule);
  };
  const [before, after] = [census(8), census(24)];
  const comparison = compareReports(before, after, ["batch 8", "batch 24"]);
  assert.equal(whole(comparison, "vertices"), [before.totals.vertices, after.totals.vertices]);
  for (const { title, figures } of comparison.parts.filter((part) => part.title.startsWith("vertices of"))) {
    const sums = [before, after].map((_, side) =>
      figures.reduce((sum, figure) => sum + (side === 0 ? figure.before : figure.after), 0),
    );
    assert.equal(sums, [before.totals.vertices, after.totals.vertices], title);
  }
  const text = formatReportComparison(comparison);
  assert.match(text, /^vertex-census\n/);
  assert.match(text, /batch 8 +batch 24 +ratio/);
});

test("two memory reports are compared category by category, and step by step where a step has one name", () => {
  const memories = [false, true].map(
    (outline) => new BlockEngine(graphOf(outline), { values: false, fit: false }).memory,
  );
  const comparison = compareReports(memories[0], memories[1], ["plain", "outlined"]);
  assert.equal(
    whole(comparison, "fullest tile's bytes"),
    memories.map(({ peak }) => Math.max(...peak)),
  );
  assert.equal(
    whole(comparison, "vertex state bytes"),
    memories.map(({ vertexState }) => vertexState.reduce((sum, bytes) => sum + bytes, 0)),
  );
  const [{ title, figures }] = comparison.parts;
  assert.is(title, "bytes of all tiles during steps");
  // What is called has its copies in the one program and not in the other.
  assert.ok(figures.some(({ name, before, after }) => name.includes("call") && before === 0 && after > 0));
});

test("two program trees are compared by the paths of their parts", () => {
  const trees = [false, true].map((outline) =>
    new BlockEngine(graphOf(outline), { values: false, fit: false }).run().programTree(),
  );
  const comparison = compareReports(trees[0], trees[1]);
  assert.equal(
    whole(comparison, "cycles"),
    trees.map(({ root }) => root.cycles),
  );
  const [{ figures }] = comparison.parts;
  const root = figures.find(({ name }) => name === "sequence" || !name.includes(" › "));
  assert.equal([root?.before, root?.after], [trees[0].root.cycles, trees[1].root.cycles]);
  assert.match(formatReportComparison(comparison, 3), /more differ/);
});

test("an execution is compared by its figures, a report with itself shows nothing that differs", () => {
  const { graph, rule } = lowerFine(graphOfMlp(), devices.lecture);
  const engine = new BlockEngine(graphOf(true), { values: false, fit: false }).run();
  const reports: readonly ComparableReport[] = [
    engine.report(),
    engine.memory,
    engine.programTree(),
    takeCensus(graph, "MLP", rule),
  ];
  for (const report of reports) {
    const { of, figures, parts } = compareReports(report, report);
    assert.is(of, report.kind);
    const all = [...figures, ...parts.flatMap((part) => part.figures)];
    assert.ok(all.length > 10);
    assert.ok(all.every(({ before, after }) => before === after));
  }
  assert.throws(
    () => compareReports<ComparableReport>(reports[0], reports[1]),
    /both must be of one kind, got execution and tile-memory/,
  );
});

test("a trace of tiles that are not there is refused", () => {
  assert.throws(() => perfettoTrace(run(false), { tiles: [16] }), /tiles of Lecture run from 0 to 15, got 16/);
});

test.run();

const found = findPython("perfetto");
const schema = suite("traces for Perfetto", "missing" in found && found.missing);

// Perfetto's own schema reads the file and tells what it understood.
const reader = `
import json, sys
from google.protobuf.unknown_fields import UnknownFieldSet
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace
trace = Trace()
read = trace.ParseFromString(sys.stdin.buffer.read())
names, depth, spans, counters = {}, {}, [], []
for packet in trace.packet:
    for message in [packet, packet.track_event, packet.track_descriptor]:
        assert len(UnknownFieldSet(message)) == 0
    if packet.HasField("track_descriptor"):
        names[packet.track_descriptor.uuid] = packet.track_descriptor.name
        continue
    event = packet.track_event
    stack = depth.setdefault(event.track_uuid, [])
    if event.type == event.TYPE_SLICE_BEGIN:
        stack.append((event.name, packet.timestamp))
    elif event.type == event.TYPE_SLICE_END:
        name, begin = stack.pop()
        spans.append([names[event.track_uuid], len(stack), name, begin, packet.timestamp])
    elif event.type == event.TYPE_COUNTER:
        counters.append(event.counter_value)
assert all(len(stack) == 0 for stack in depth.values())
print(json.dumps({"names": list(names.values()), "spans": spans, "counters": counters}))
`;

schema("Perfetto's schema reads every superstep, phase, tile and byte of a run", () => {
  if ("missing" in found) return;
  const report = run(false);
  const outcome = spawnSync(found.python, ["-c", reader], {
    input: perfettoTrace(report, { tiles: [0, 3] }),
    encoding: "utf8",
  });
  assert.is(outcome.status, 0, outcome.stderr);
  interface Read {
    readonly names: readonly string[];
    readonly spans: readonly (readonly [string, number, string, number, number])[];
    readonly counters: readonly number[];
  }
  const { names, spans, counters } = JSON.parse(outcome.stdout) as Read;
  assert.equal(names, ["Lecture", "supersteps", "exchanged bytes", "tile 0", "tile 3"]);
  const whole = spans.filter(([track, level]) => track === "supersteps" && level === 0);
  assert.equal(
    whole.map(([, , name]) => name),
    report.supersteps.map(({ name }) => name),
  );
  assert.is(whole.at(-1)?.[4], Math.round((report.cycles / report.device.clockHz) * 1e9));
  assert.is(
    counters.reduce((sum, bytes) => sum + bytes, 0),
    report.exchangedBytes,
  );
  const own = spans.filter(([track, , name]) => track === "tile 3" && name !== "exchange");
  const nanoseconds = own.reduce((sum, [, , , begin, end]) => sum + end - begin, 0);
  const expected = (report.tiles.compute[3] / report.device.clockHz) * 1e9;
  assert.ok(Math.abs(nanoseconds - expected) <= own.length, `${nanoseconds} for ${expected}`);
});

schema.run();

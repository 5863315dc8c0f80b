import * as assert from "uvu/assert";
import {
  codelet,
  devices,
  execute,
  Graph,
  input,
  output,
  type Program,
  repeat,
  sequence,
  type TensorView,
} from "../../../lib/graph/index.ts";
import { Engine, formatTileMemory, OutOfMemoryError } from "../../../lib/simulator/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";

const test = suite("memory of tiles");

const move = codelet(
  "Move",
  { in: input.vector("float"), out: output.vector("float") },
  ({ in: xs, out }) => {
    for (let i = 0; i < out.length; i++) out[i] = xs[i];
  },
  ({ in: xs }) => xs.length,
);

/** A chain of variables on one tile, each moved to the next. */
function chain(lengths: readonly number[]): { graph: Graph; tensors: TensorView[]; program: Program } {
  const graph = new Graph(devices.lecture);
  const tensors = lengths.map((length, index) => graph.addVariable("float", [length], `v${index}`));
  for (const tensor of tensors) graph.setTileMapping(tensor, 0);
  const steps = tensors.slice(1).map((tensor, index) => {
    const computeSet = graph.addComputeSet(`step ${index}`);
    const source = tensors[index].flatten();
    graph.setTileMapping(graph.addVertex(computeSet, move, { in: source, out: tensor }), 0);
    return execute(computeSet);
  });
  return { graph, tensors, program: sequence(steps) };
}

test("what is made and used within a run shares memory; inputs and results do not", () => {
  const { graph, program } = chain([100, 200, 300, 400]);
  const { memory } = new Engine(graph, program);
  assert.is(memory.alwaysLive[0], 4 * (100 + 400));
  assert.is(memory.vertexState[0], 3 * 20);
  assert.equal(
    memory.steps.map(({ variables }) => variables[0]),
    [4 * 200, 4 * (200 + 300), 4 * 300],
  );
  // Code besides: a codelet, and a line of the control program for each of three supersteps.
  assert.equal([memory.vertexCode[0], memory.exchangeCode[0], memory.controlCode[0]], [384, 0, 3 * 32]);
  assert.is(memory.peak[0], 4 * 500 + 60 + 384 + 3 * 32 + 4 * 500);
});

test("at every step the tiles' categories are what listing live elements gives", () => {
  // The oracle runs the program on tags: an element is alive from a write until the last read of that write.
  for (let seed = 1; seed <= 150; seed++) {
    const draw = random(seed);
    const graph = new Graph(devices.lecture);
    const count = integer(draw, 2, 6);
    const tensors = Array.from({ length: count }, (_, index) =>
      graph.addVariable("float", [integer(draw, 1, 1) * 8], `v${index}`),
    );
    for (const tensor of tensors) graph.mapLinearly(tensor, integer(draw, 1, 8));
    const moves = Array.from({ length: integer(draw, 1, 8) }, () => {
      const from = integer(draw, 0, count - 1);
      const to = (from + integer(draw, 1, count - 1)) % count;
      return { from, to };
    });
    const steps = moves.map(({ from, to }) => {
      const computeSet = graph.addComputeSet();
      graph.setTileMapping(
        graph.addVertex(computeSet, move, { in: tensors[from], out: tensors[to] }),
        integer(draw, 0, 15),
      );
      return execute(computeSet);
    });
    const { memory } = new Engine(graph, sequence(steps));
    const always = tensors.map((_, variable) => {
      const firstRead = moves.findIndex(({ from }) => from === variable);
      const firstWrite = moves.findIndex(({ to }) => to === variable);
      return firstRead < 0 || firstWrite < 0 || firstRead < firstWrite;
    });
    const lives = (variable: number, step: number): boolean => {
      if (moves[step].from === variable || moves[step].to === variable) return true;
      const next = moves.slice(step + 1).find(({ from, to }) => from === variable || to === variable);
      return next !== undefined && next.from === variable;
    };
    const bytesOn = (variable: number, tile: number): number =>
      graph.variables.all[variable].mapping.intervals
        .filter((interval) => interval.tile === tile)
        .reduce((sum, { start, end }) => sum + 4 * (end - start), 0);
    for (let tile = 0; tile < 16; tile++) {
      const sumOf = (wanted: (variable: number) => boolean): number =>
        tensors.reduce((sum, _, variable) => sum + (wanted(variable) ? bytesOn(variable, tile) : 0), 0);
      assert.is(
        memory.alwaysLive[tile],
        sumOf((variable) => always[variable]),
        `seed ${seed}, tile ${tile}`,
      );
      for (const step of moves.keys()) {
        const expected = sumOf((variable) => !always[variable] && lives(variable, step));
        assert.is(memory.steps[step].variables[tile], expected, `seed ${seed}, tile ${tile}, step ${step}`);
      }
    }
  }
});

test("what a loop carries from turn to turn stays alive through the turn", () => {
  const { graph, tensors, program } = chain([10, 20, 10]);
  const back = graph.addComputeSet("back");
  graph.setTileMapping(graph.addVertex(back, move, { in: tensors[2], out: tensors[0] }), 0);
  const { memory } = new Engine(graph, repeat(3, sequence([program, execute(back)])));
  assert.is(memory.alwaysLive[0], 40, "the first is read before it is written");
  assert.equal(
    memory.steps.map(({ variables }) => variables[0]),
    [80, 120, 40],
  );
});

test("what every turn of a loop reads, and was made before the loop, lives until its end", () => {
  const { graph, tensors, program } = chain([10, 20, 30]);
  const result = graph.addVariable("float", [30], "result");
  graph.setTileMapping(result, 0);
  const last = graph.addComputeSet("last");
  graph.setTileMapping(graph.addVertex(last, move, { in: tensors[2], out: result }), 0);
  const [first, second] = program.kind === "sequence" ? program.programs : [];
  const { memory } = new Engine(graph, sequence([first, repeat(2, sequence([second, execute(last)]))]));
  assert.equal(
    memory.steps.map(({ variables }) => variables[0]),
    [80, 80 + 120, 80 + 120],
  );
});

test("a variable that is written part by part counts as read before it is whole", () => {
  const graph = new Graph(devices.lecture);
  const [a, b, c] = ["a", "b", "c"].map((name) => graph.addVariable("float", [8], name));
  for (const tensor of [a, b, c]) graph.setTileMapping(tensor, 0);
  const steps = [
    { in: a.slice(0, 4), out: b.slice(0, 4) },
    { in: a.slice(4, 8), out: b.slice(4, 8) },
    { in: b, out: c },
  ].map((edges) => {
    const computeSet = graph.addComputeSet();
    graph.setTileMapping(graph.addVertex(computeSet, move, edges), 0);
    return execute(computeSet);
  });
  assert.is(new Engine(graph, sequence(steps)).memory.alwaysLive[0], 3 * 32);
});

test("running out of memory names the tile, the bytes, the superstep and the largest buffers", () => {
  const { graph, program } = chain([1000, 12_000, 4_000, 10]);
  let caught: unknown;
  try {
    new Engine(graph, program);
  } catch (error) {
    caught = error;
  }
  assert.instance(caught, OutOfMemoryError);
  const error = caught as OutOfMemoryError;
  const needed = 4 * (1000 + 10) + 60 + 384 + 3 * 32 + 4 * (12_000 + 4_000);
  assert.equal([error.tile, error.neededBytes, error.availableBytes, error.superstep], [0, needed, 65_536, "step 1"]);
  assert.equal(error.largest.slice(0, 3), [
    { name: '"v1"', bytes: 48_000 },
    { name: '"v2"', bytes: 16_000 },
    { name: '"v0"', bytes: 4_000 },
  ]);
  assert.is(error.memory.peak[0], needed, "the profile is kept");
  assert.match(
    error.message,
    /^memory of tile 0: a tile of Lecture has 65,536 B, got 68,580 B needed, 3,044 B too many \(superstep "step 1"; largest: "v1" 48,000 B, "v2" 16,000 B/,
  );
});

test("a memory report in words adds up to the byte", () => {
  const { graph, program } = chain([100, 200, 300, 400]);
  const text = formatTileMemory(new Engine(graph, program).memory, 2).split("\n");
  assert.match(text[0], /^Lecture: fullest is tile 0 with 4,540 of 65,536 B; 5,980 B on all 16 tiles at their peaks$/);
  const numbers = text
    .filter((line) => /\d$/.test(line))
    .map((line) =>
      line
        .split(/ {2,}/)
        .slice(-2)
        .map((cell) => Number(cell.replaceAll(",", ""))),
    );
  // Five categories, then the two steps that need most.
  assert.is(numbers.length, 1 + 5 + 2);
  const [, ...rows] = numbers;
  const own = rows.slice(0, 5).reduce((sum, [, bytes]) => sum + bytes, 0);
  assert.is(own + rows[5][1], 4540);
  assert.ok(rows[5][0] >= rows[6][0]);
});

test.run();

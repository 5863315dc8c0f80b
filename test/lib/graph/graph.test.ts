import * as assert from "uvu/assert";
import {
  call,
  codelet,
  concat,
  copy,
  type Diagnostic,
  devices,
  execute,
  Graph,
  inOut,
  input,
  output,
  programFunction,
  repeat,
  sequence,
  state,
  type TensorView,
  verifyGraph,
} from "../../../lib/graph/index.ts";
import { type Random, random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";

const test = suite("vertex graphs");

const scale = codelet(
  "Scale",
  { in: input.vector("float"), out: output.vector("float"), factor: state() },
  ({ in: xs, out, factor }) => {
    for (let i = 0; i < out.length; i++) out[i] = xs[i] * factor;
  },
  ({ in: xs }) => 5 + xs.length,
);

const update = codelet(
  "Update",
  { values: inOut.vector("float"), step: input("float") },
  ({ values, step }) => {
    for (let i = 0; i < values.length; i++) values[i] += step;
  },
  ({ values }) => values.length,
);

const rules = (found: readonly Diagnostic[]): string[] => [...new Set(found.map(({ rule }) => rule))].sort();

test("tile mapping remembers the last tile of every element", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const draw = random(seed);
    const graph = new Graph(devices.lecture);
    const tensor = graph.addVariable("float", [4, 6]);
    const tiles = new Array<number>(24).fill(-1);
    for (let step = 0; step < 8; step++) {
      const axis = integer(draw, 0, 1);
      const start = integer(draw, 0, tensor.shape[axis]);
      const end = integer(draw, start, tensor.shape[axis]);
      const tile = integer(draw, 0, 15);
      graph.setTileMapping(tensor.slice(start, end, axis), tile);
      for (let element = 0; element < 24; element++) {
        const position = axis === 0 ? Math.floor(element / 6) : element % 6;
        if (start <= position && position < end) tiles[element] = tile;
      }
    }
    const { mapping } = graph.variables.all[0];
    const found = new Array<number>(24).fill(-1);
    let last = 0;
    for (const { start, end, tile } of mapping.intervals) {
      assert.ok(start >= last && end > start, `seed ${seed}: intervals are disjoint and in order`);
      found.fill(tile, start, end);
      last = end;
    }
    assert.equal(found, tiles, `seed ${seed}`);
    assert.is(mapping.firstUnmapped(24), tiles.indexOf(-1), `seed ${seed}`);
    const from = integer(draw, 0, 24);
    const to = integer(draw, from, 24);
    const between = [...mapping.between(from, to)].flatMap(({ start, end, tile }) =>
      Array.from({ length: end - start }, (_, i) => `${start + i}:${tile}`),
    );
    const expected = tiles.flatMap((tile, i) => (tile >= 0 && from <= i && i < to ? [`${i}:${tile}`] : []));
    assert.equal(between, expected, `seed ${seed}`);
  }
});

test("mapLinearly gives every tile whole groups, none more than one group above another", () => {
  for (const [elements, grain] of [
    [160, 1],
    [161, 1],
    [3, 1],
    [160, 7],
    [5, 8],
  ]) {
    const graph = new Graph(devices.lecture);
    graph.mapLinearly(graph.addVariable("float", [elements]), grain);
    const { mapping } = graph.variables.all[0];
    assert.is(mapping.firstUnmapped(elements), -1);
    const groups = new Array<number>(16).fill(0);
    for (const { start, end, tile } of mapping.intervals) {
      assert.is(start % grain, 0);
      groups[tile] += Math.ceil((end - start) / grain);
    }
    assert.ok(Math.max(...groups) - Math.min(...groups) <= 1, `${elements} by ${grain}: ${groups}`);
  }
});

/** A graph of random vertices over two variables, and for each field what plain loops say it holds. */
function randomGraph(draw: Random, bulk: boolean): Graph {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [30], "a");
  const b = graph.addVariable("float", [5, 6], "b");
  graph.setTileMapping(a, 0).setTileMapping(b, 1);
  const transposed = b.dimShuffle();
  const sets = [graph.addComputeSet("first"), graph.addComputeSet("second")];
  for (const computeSet of sets) {
    const count = integer(draw, 1, 3);
    const length = integer(draw, 0, 4);
    const inStarts = Array.from({ length: count }, () => integer(draw, 0, 30 - length));
    const outStarts = Array.from({ length: count }, () => integer(draw, 0, 30 - length));
    const tiles = Array.from({ length: count }, () => integer(draw, 0, 15));
    const sources = [a, b, transposed];
    const source = sources[integer(draw, 0, 2)];
    const destination = sources[integer(draw, 0, 2)];
    if (bulk) {
      const columns = {
        in: { tensor: source, starts: inStarts, lengths: length },
        out: { tensor: destination, starts: outStarts, lengths: length },
        factor: tiles,
      };
      graph.addVertices(computeSet, scale, count, columns, tiles);
    } else {
      for (let i = 0; i < count; i++) {
        const edges = {
          in: source.flatten().slice(inStarts[i], inStarts[i] + length),
          out: destination.flatten().slice(outStarts[i], outStarts[i] + length),
          factor: tiles[i],
        };
        graph.setTileMapping(graph.addVertex(computeSet, scale, edges), tiles[i]);
      }
    }
  }
  return graph;
}

/** Everything that the columns say of a graph's vertices. */
function dump({ vertices }: Graph): unknown[] {
  return Array.from({ length: vertices.count }, (_, vertex) => ({
    codelet: vertices.codeletOf(vertex).name,
    computeSet: vertices.computeSetOf(vertex),
    tile: vertices.tileOf(vertex),
    fields: vertices.fieldsOf(vertex).map(([name, field], place) => {
      if (field.kind === "state") return [name, vertices.stateOf(vertex, place)];
      return [
        name,
        vertices.lengthOf(vertex, place),
        vertices.vectorsOf(vertex, place),
        elementsOf(vertices, vertex, place),
      ];
    }),
  }));
}

function elementsOf(vertices: Graph["vertices"], vertex: number, place: number): string[] {
  const elements: string[] = [];
  vertices.forEachRun(vertex, place, (variable, start, count, step) => {
    for (let i = 0; i < count; i++) elements.push(`${variable}:${start + i * step}`);
  });
  return elements;
}

test("vertices added in bulk are those added one by one, and are found at fault alike", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const [single, bulk] = [randomGraph(random(seed), false), randomGraph(random(seed), true)];
    assert.equal(dump(bulk), dump(single), `seed ${seed}`);
    assert.is(bulk.vertices.edgeCount, single.vertices.edgeCount);
    assert.equal(verifyGraph(bulk), verifyGraph(single), `seed ${seed}`);
  }
});

test("hazards within compute sets are found exactly where looking at every element finds them", () => {
  let faulty = 0;
  for (let seed = 1; seed <= 600; seed++) {
    const graph = randomGraph(random(seed), true);
    const { vertices } = graph;
    let overlap = false;
    let readOfWritten = false;
    for (const { id } of graph.computeSets) {
      const written = new Set<string>();
      let overlapHere = false;
      const members = Array.from({ length: vertices.count }, (_, v) => v).filter(
        (v) => vertices.computeSetOf(v) === id,
      );
      for (const vertex of members) {
        for (const element of elementsOf(vertices, vertex, 1)) {
          if (written.has(element)) overlapHere = true;
          written.add(element);
        }
      }
      overlap ||= overlapHere;
      // Reads are looked at once writes are in order.
      const read = members.some((vertex) => elementsOf(vertices, vertex, 0).some((element) => written.has(element)));
      if (!overlapHere && read) readOfWritten = true;
    }
    const expected = [...(overlap ? ["overlapping-writes"] : []), ...(readOfWritten ? ["read-of-written"] : [])];
    assert.equal(rules(verifyGraph(graph)), expected, `seed ${seed}`);
    if (expected.length > 0) faulty++;
  }
  assert.ok(faulty > 100 && faulty < 500, `both kinds of graphs were tried (${faulty} at fault)`);
});

test("every fault is named with the vertex, its path and a remedy", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [8], "a");
  graph.setTileMapping(a.slice(0, 5), 0);
  const computeSet = graph.addComputeSet("layer1/scale");
  graph.addVertex(computeSet, scale, { in: a.slice(0, 4), factor: 2 });
  const [tensor, vertex, field] = verifyGraph(graph).map(({ message }) => message);
  assert.match(tensor, /^variable "a": .* got none for element 5 of 8; call setTileMapping/);
  assert.match(vertex, /^vertex 0, layer1\/scale\/Scale: a vertex must be on a tile, got none; call setTileMapping/);
  assert.match(field, /^vertex 0, layer1\/scale\/Scale: every field must be connected, got nothing for "out"; name it/);
});

test("hazards are named with both vertices and the element", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [8], "a");
  const b = graph.addVariable("float", [8], "b");
  graph.setTileMapping(a, 0).setTileMapping(b, 0);
  const writes = graph.addComputeSet("writes");
  for (const start of [0, 3]) {
    const edges = { in: a.slice(0, 4), out: b.slice(start, start + 4), factor: 1 };
    graph.setTileMapping(graph.addVertex(writes, scale, edges), 0);
  }
  const reads = graph.addComputeSet("reads");
  const edges = { in: a.slice(2, 6), out: a.slice(5, 8).broadcast(1), factor: 1 };
  graph.setTileMapping(graph.addVertex(reads, scale, edges), 0);
  const [overlap, read, ...others] = verifyGraph(graph).map(({ message }) => message);
  assert.match(
    overlap,
    /^vertex 0, writes\/Scale, field "out": .* element 3 of "b" .* vertex 1, writes\/Scale, field "out"; /,
  );
  assert.match(
    read,
    /^vertex 2, reads\/Scale: .* element 5 of "a" read by field "in" and written by vertex 2, reads\/Scale/,
  );
  assert.equal(others, []);
});

test("a field that is read and written does not stand in its own way", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [8], "a");
  graph.setTileMapping(a, 0);
  const computeSet = graph.addComputeSet("update");
  const fine = graph.addVertex(computeSet, update, { values: a.slice(0, 4), step: a.index(7) });
  graph.setTileMapping(fine, 0);
  assert.equal(verifyGraph(graph), []);
  graph.connect(fine, "step", a.index(3));
  assert.equal(rules(verifyGraph(graph)), ["read-of-written"]);
});

test("a vertex or a copy that writes an element twice by itself is found", () => {
  const repeating: ((a: TensorView) => TensorView)[] = [
    (a) => a.index(2).expand().broadcast(4),
    (a) => concat([a.slice(0, 2), a.slice(1, 3)]),
    (a) => a.slice(0, 2).broadcast(2),
    (a) => concat([a.reshape([4, 2]).dimShuffle().index(0).slice(0, 2), a.slice(2, 4)]),
  ];
  for (const [index, repeat] of repeating.entries()) {
    const graph = new Graph(devices.lecture);
    const a = graph.addVariable("float", [8], "a");
    const b = graph.addVariable("float", [8], "b");
    graph.setTileMapping(a, 0).setTileMapping(b, 0);
    const edges = { in: b.slice(0, 4), out: repeat(a), factor: 1 };
    graph.setTileMapping(graph.addVertex(graph.addComputeSet(), scale, edges), 0);
    assert.equal(rules(verifyGraph(graph)), ["overlapping-writes"], `case ${index}`);
    assert.throws(() => copy(b.slice(0, 4), repeat(a)), /with repeats/);
    assert.is(copy(b.slice(0, 4), a.reshape([4, 2]).dimShuffle().index(1)).kind, "copy");
  }
});

test("of each rule only the first five cases are told", () => {
  const graph = new Graph(devices.lecture);
  for (let i = 0; i < 20; i++) graph.addVariable("float", [1], `v${i}`);
  assert.is(verifyGraph(graph).length, 5);
});

test("a connection that does not fit is refused at once", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [8], "a");
  const halves = graph.addVariable("half", [8], "halves");
  const constant = graph.addConstant("float", [8], 1, "ones");
  const foreign = new Graph(devices.lecture).addVariable("float", [8], "foreign");
  const computeSet = graph.addComputeSet("set");
  assert.throws(
    () => graph.addVertex(computeSet, scale, { in: halves }),
    /^set\/Scale: field "in" must be connected to float, got "halves" half \[8\]; cast/,
  );
  assert.throws(
    () => graph.addVertex(computeSet, update, { step: a }),
    /field "step" must be connected to one element/,
  );
  assert.throws(
    () => graph.addVertex(computeSet, scale, { out: constant }),
    /field "out": a constant must not be written/,
  );
  assert.throws(() => graph.addVertex(computeSet, scale, { in: foreign }), /a tensor must be of this graph/);
  assert.throws(
    () => graph.addVertex(computeSet, scale, { inn: a } as object),
    /a field must be one of in, out, factor/,
  );
  assert.throws(
    () => graph.addVertex(computeSet, scale, { factor: a } as object),
    /is state and must be given a number/,
  );
  assert.throws(() => graph.addVertex(computeSet, scale, { in: 3 } as object), /must be connected to a tensor, got 3/);
  assert.is(graph.vertices.count, 0, "no vertex is left half-connected");
  assert.throws(() => graph.setTileMapping(a, 16), /tiles of Lecture run from 0 to 15, got 16 \("a"/);
  assert.throws(() => graph.addConstant("float", [3], [1, 2]), /a value for each of the 3 elements, got 2 values/);
  assert.throws(() => graph.setInitialValue(constant, 1), /a constant must not be written, got "ones"/);
  assert.throws(() => copy(a, constant), /a constant must not be written/);
  assert.throws(() => copy(a, halves), /copy: both tensors must have one type and shape/);
  assert.throws(
    () => copy(a, a.index(0).expand().broadcast(8)),
    /each element of the destination must be there once, got .* with repeats/,
  );
});

test("a column that does not fit is refused before any vertex is added", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [8], "a");
  const halves = graph.addVariable("half", [8], "halves");
  const computeSet = graph.addComputeSet("set");
  const good = {
    in: { tensor: a, starts: [0, 4], lengths: 2 },
    out: { tensor: a, starts: [2, 6], lengths: 2 },
    factor: 1,
  };
  const add = (columns: object, tiles?: number[]): number =>
    graph.addVertices(computeSet, scale, 2, { ...good, ...columns }, tiles);
  assert.throws(
    () => add({ in: { tensor: a, starts: [0, 7], lengths: 2 } }),
    /field "in" must lie on elements 0 to 8 .* got 2 from 7 \(index 1/,
  );
  assert.throws(
    () => add({ in: { tensor: a, starts: [0], lengths: 2 } }),
    /the column of "in" must have a place a vertex, got 1 for 2/,
  );
  assert.throws(() => add({ in: { tensor: halves, starts: 0 } }), /field "in" must be connected to float, got/);
  assert.throws(() => add({ in: undefined }), /every field must have a column, got none for "in"/);
  assert.throws(() => add({ factor: { tensor: a, starts: 0 } }), /is state and must be given a number/);
  assert.throws(() => add({ out: 3 }), /must be connected to a tensor, got numbers/);
  assert.throws(() => graph.addVertices(computeSet, scale, -1, good), /the count must be a whole number ≥ 0, got -1/);
  assert.throws(() => add({}, [0, 16]), /tiles of Lecture run from 0 to 15, got 16 \(set\/Scale, index 1\)/);
  assert.is(graph.vertices.count, 0);
});

test("lists of vectors are added in bulk as they are one by one", () => {
  const gather = codelet(
    "Gather",
    { in: input.vectors("float"), out: output.vector("float") },
    () => {},
    () => 1,
  );
  for (let seed = 1; seed <= 100; seed++) {
    const draw = random(seed);
    const counts = Array.from({ length: integer(draw, 0, 4) }, () => integer(draw, 0, 3));
    const total = counts.reduce((sum, count) => sum + count, 0);
    const starts = Array.from({ length: total }, () => integer(draw, 0, 25));
    const lengths = Array.from({ length: total }, () => integer(draw, 0, 4));
    const transposed = draw.next() % 2 === 0;
    const [single, bulk] = [false, true].map((inBulk) => {
      const graph = new Graph(devices.lecture);
      const a = graph.addVariable("float", [5, 6], "a");
      const b = graph.addVariable("float", [10], "b");
      const source = transposed ? a.dimShuffle() : a;
      const computeSet = graph.addComputeSet("set");
      const outs = counts.map((_, index) => 2 * index);
      if (inBulk) {
        const columns = {
          in: { tensor: source, starts, lengths, counts },
          out: { tensor: b, starts: outs, lengths: 2 },
        };
        graph.addVertices(computeSet, gather, counts.length, columns, 3);
      } else {
        let next = 0;
        for (const [index, count] of counts.entries()) {
          const vectors = Array.from({ length: count }, () => {
            const start = starts[next];
            return source.flatten().slice(start, start + lengths[next++]);
          });
          const vertex = graph.addVertex(computeSet, gather, {
            in: vectors,
            out: b.slice(outs[index], outs[index] + 2),
          });
          graph.setTileMapping(vertex, 3);
        }
      }
      return graph;
    });
    assert.equal(dump(bulk), dump(single), `seed ${seed}`);
    assert.is(bulk.vertices.edgeCount, single.vertices.edgeCount);
    assert.equal(verifyGraph(bulk), verifyGraph(single), `seed ${seed}`);
  }
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [8], "a");
  const halves = graph.addVariable("half", [8], "halves");
  const set = graph.addComputeSet("set");
  const out = { tensor: a, starts: [0, 1] };
  const add = (column: object) => () =>
    graph.addVertices(set, gather, 2, { in: { tensor: a, starts: [0, 2, 4], counts: [1, 2], ...column }, out });
  assert.throws(add({ counts: [1] }), /the column of "in, counts" must have a place a vertex, got 1 for 2/);
  assert.throws(add({ counts: [1, -2] }), /counts of field "in" must be whole numbers ≥ 0, got -2 \(index 1\)/);
  assert.throws(add({ counts: [1, 1] }), /the column of "in" must have a place a vertex, got 3 for 2/);
  assert.throws(add({ starts: [0, 2, 8] }), /field "in" must lie on elements 0 to 8 .* got 1 from 8 \(index 2/);
  assert.throws(add({ tensor: halves }), /field "in" must be connected to float, got "halves"/);
  assert.throws(
    () => graph.addVertices(set, gather, 2, { in: { tensor: a, starts: [0, 1] } as never, out }),
    /field "in" is a list of vectors and must be told how many each vertex has, got no counts/,
  );
  assert.throws(
    () =>
      graph.addVertices(set, gather, 2, {
        in: { tensor: a, starts: [0, 1], counts: 1 },
        out: { ...out, counts: 1 } as never,
      }),
    /field "out" is one vector a vertex, got counts; leave them out/,
  );
  assert.is(graph.vertices.count, 0);
});

test("programs that call themselves, and strangers, are found", () => {
  const graph = new Graph(devices.lecture);
  const loop = programFunction("loop", (self) => sequence([repeat(2, call(self))]));
  const [recursion] = verifyGraph(graph, call(loop));
  assert.match(
    recursion.message,
    /^program: a program must not call itself, got function loop → loop; .* use repeat or repeatWhile/,
  );
  const outer = programFunction("outer", (self) => call(programFunction("inner", call(self))));
  assert.match(verifyGraph(graph, call(outer))[0].message, /got function inner → outer → inner;/);
  const twice = programFunction("twice", sequence());
  assert.equal(verifyGraph(graph, sequence([call(twice), call(twice)])), [], "calling twice is no recursion");
  const other = new Graph(devices.lecture);
  const foreign = sequence([
    execute(other.addComputeSet("there")),
    copy(other.addVariable("float", []), other.addVariable("float", [])),
  ]);
  assert.equal(rules(verifyGraph(graph, foreign)), ["foreign"]);
});

test("edges count connected fields and not state", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [200_000], "a");
  const b = graph.addVariable("float", [200_000], "b");
  graph.mapLinearly(a).mapLinearly(b);
  const starts = Uint32Array.from({ length: 200_000 }, (_, i) => i);
  const columns = { in: { tensor: a, starts }, out: { tensor: b, starts }, factor: 2 };
  graph.addVertices(graph.addComputeSet("all"), scale, 200_000, columns, 3);
  assert.is(graph.vertices.count, 200_000);
  assert.is(graph.vertices.edgeCount, 400_000);
  assert.is(graph.vertices.lengthOf(199_999, 0), 1);
  assert.equal(verifyGraph(graph), []);
});

test.run();

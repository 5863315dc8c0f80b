import * as assert from "uvu/assert";
import { concat, devices, Graph, type TensorView } from "../../../lib/graph/index.ts";
import { type Random, random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";

const test = suite("tensor views");

/** The oracle: a tensor as its shape and, element by element, the name of what it holds. */
interface Listed {
  readonly shape: readonly number[];
  readonly elements: readonly string[];
}

function listed(view: TensorView): Listed {
  const elements = view.runs.flatMap(({ variable, start, count, step }) =>
    Array.from({ length: count }, (_, i) => `${variable}:${start + i * step}`),
  );
  return { shape: view.shape, elements };
}

/** All positions of a shape, in row-major order. */
function positions(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (found, extent) => found.flatMap((place) => Array.from({ length: extent }, (_, i) => [...place, i])),
    [[]],
  );
}

/** A listed tensor of another shape whose element at a place is that of the source at `from(place)`. */
function picked(source: Listed, shape: readonly number[], from: (place: number[]) => number[]): Listed {
  const flat = (place: number[]): number => place.reduce((sum, index, axis) => sum * source.shape[axis] + index, 0);
  return { shape, elements: positions(shape).map((place) => source.elements[flat(from(place))]) };
}

interface Pair {
  readonly view: TensorView;
  readonly oracle: Listed;
}

const changes: readonly ((pair: Pair, draw: Random) => Pair | undefined)[] = [
  function slice({ view, oracle }, draw) {
    if (view.shape.length === 0) return undefined;
    const axis = integer(draw, 0, view.shape.length - 1);
    const start = integer(draw, 0, view.shape[axis]);
    const end = integer(draw, start, view.shape[axis]);
    const shape = oracle.shape.with(axis, end - start);
    return {
      view: view.slice(start, end, axis),
      oracle: picked(oracle, shape, (place) => place.with(axis, place[axis] + start)),
    };
  },
  function index({ view, oracle }, draw) {
    if (view.shape.length === 0 || view.shape[0] === 0) return undefined;
    const position = integer(draw, 0, view.shape[0] - 1);
    return {
      view: view.index(position),
      oracle: picked(oracle, oracle.shape.slice(1), (place) => [position, ...place]),
    };
  },
  function dimShuffle({ view, oracle }, draw) {
    const axes = [...draw.permutation(view.shape.length)];
    const shape = axes.map((axis) => oracle.shape[axis]);
    return {
      view: view.dimShuffle(axes),
      oracle: picked(oracle, shape, (place) => axes.map((_, axis) => place[axes.indexOf(axis)])),
    };
  },
  function flatten({ view, oracle }) {
    return { view: view.flatten(), oracle: { shape: [oracle.elements.length], elements: oracle.elements } };
  },
  function reshape({ view, oracle }, draw) {
    const count = oracle.elements.length;
    const divisors = Array.from({ length: count }, (_, i) => i + 1).filter((divisor) => count % divisor === 0);
    if (divisors.length === 0) return undefined;
    const first = divisors[integer(draw, 0, divisors.length - 1)];
    const shape = [first, count / first];
    return { view: view.reshape(shape), oracle: { shape, elements: oracle.elements } };
  },
  function expand({ view, oracle }, draw) {
    if (view.shape.length > 3) return undefined;
    const axis = integer(draw, 0, view.shape.length);
    return { view: view.expand(axis), oracle: { ...oracle, shape: oracle.shape.toSpliced(axis, 0, 1) } };
  },
  function squeeze({ view, oracle }) {
    return { view: view.squeeze(), oracle: { ...oracle, shape: oracle.shape.filter((extent) => extent !== 1) } };
  },
  function broadcast({ view, oracle }, draw) {
    if (view.shape.length === 0 || view.elements > 60) return undefined;
    const axis = integer(draw, 0, view.shape.length - 1);
    const count = integer(draw, 1, 3);
    const extent = oracle.shape[axis];
    const shape = oracle.shape.with(axis, extent * count);
    return {
      view: view.broadcast(count, axis),
      oracle: picked(oracle, shape, (place) => place.with(axis, place[axis] % extent)),
    };
  },
  function concatWithItself({ view, oracle }, draw) {
    if (view.shape.length === 0 || view.elements > 60) return undefined;
    const axis = integer(draw, 0, view.shape.length - 1);
    const extent = oracle.shape[axis];
    const shape = oracle.shape.with(axis, extent * 2);
    return {
      view: concat([view, view], axis),
      oracle: picked(oracle, shape, (place) => place.with(axis, place[axis] % extent)),
    };
  },
];

test("any chain of changes holds the elements that changing plain arrays gives", () => {
  const used = new Map<string, number>();
  for (let seed = 1; seed <= 400; seed++) {
    const draw = random(seed);
    const graph = new Graph(devices.lecture);
    const parts = [
      graph.addVariable("float", [integer(draw, 1, 3), 3, 4]),
      graph.addVariable("float", [integer(draw, 1, 3), 3, 4]),
    ];
    const view = draw.next() % 2 === 0 ? parts[0] : concat(parts);
    let pair: Pair = { view, oracle: listed(view) };
    for (let step = 0; step < 6; step++) {
      const change = changes[integer(draw, 0, changes.length - 1)];
      const next = change(pair, draw);
      if (next === undefined) continue;
      used.set(change.name, (used.get(change.name) ?? 0) + 1);
      assert.equal(listed(next.view), next.oracle, `seed ${seed}, step ${step}, ${change.name}`);
      pair = next;
    }
  }
  for (const { name } of changes) assert.ok((used.get(name) ?? 0) > 50, `${name} was tried`);
});

test("concat joins different tensors along any axis", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const draw = random(seed);
    const graph = new Graph(devices.lecture);
    const axis = integer(draw, 0, 2);
    const extents = Array.from({ length: integer(draw, 1, 4) }, () => integer(draw, 0, 3));
    const tensors = extents.map((extent) => graph.addVariable("half", [2, 3, 2].with(axis, extent)));
    const shape = [2, 3, 2].with(
      axis,
      extents.reduce((sum, extent) => sum + extent),
    );
    const elements = positions(shape).map((place) => {
      let part = 0;
      let position = place[axis];
      while (position >= extents[part]) position -= extents[part++];
      const inside = place.with(axis, position);
      const flat = inside.reduce((sum, index, other) => sum * tensors[part].shape[other] + index, 0);
      return `${part}:${flat}`;
    });
    assert.equal(listed(concat(tensors, axis)), { shape, elements }, `seed ${seed}`);
  }
});

test("the rows and columns of a matrix are few runs", () => {
  const matrix = new Graph(devices.lecture).addVariable("float", [100, 200], "matrix");
  assert.equal(matrix.index(3).runs, [{ variable: 0, start: 600, count: 200, step: 1 }]);
  assert.equal(matrix.dimShuffle().index(3).runs, [{ variable: 0, start: 3, count: 100, step: 200 }]);
  assert.is(matrix.slice(10, 90).runs.length, 1);
  assert.is(matrix.dimShuffle().runs.length, 200);
});

test("what does not fit is refused with the tensor's name", () => {
  const graph = new Graph(devices.lecture);
  const a = graph.addVariable("float", [2, 3], "a");
  const half = graph.addVariable("half", [2, 3], "b");
  const other = new Graph(devices.lecture).addVariable("float", [2, 3], "c");
  assert.throws(() => a.slice(1, 4), /slice: 0 ≤ start ≤ end ≤ 2 must hold on axis 0, got 1 and 4 \(tensor "a"/);
  assert.throws(() => a.slice(0, 1, 2), /slice: axes run from 0 to 1, got axis 2/);
  assert.throws(() => a.index(2), /index: positions of axis 0 run from 0 to 1, got 2/);
  assert.throws(() => a.index(0, 0, 0), /index: there must not be more positions than axes, got 3/);
  assert.throws(() => a.reshape([4]), /reshape: the shape must have 6 elements, got \[4\]/);
  assert.throws(() => a.dimShuffle([0, 0]), /dimShuffle: every axis must be named once, got \[0,0\]/);
  assert.throws(() => a.squeeze([0]), /squeeze: axes taken away must have extent 1/);
  assert.throws(() => a.expand(3), /expand: the new axis must lie from 0 to 2, got 3/);
  assert.throws(() => a.broadcast(0), /broadcast: the count must be a whole number ≥ 1, got 0/);
  assert.throws(() => concat([]), /concat: there must be a tensor/);
  for (const unlike of [half, other, a.index(0)]) {
    assert.throws(() => concat([a, unlike]), /concat: tensors must be of one graph, type and shape/);
  }
});

test.run();

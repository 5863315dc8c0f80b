import * as assert from "uvu/assert";
import {
  call,
  codelet,
  devices,
  execute,
  Graph,
  input,
  output,
  type Program,
  programFunction,
  type TensorView,
  type VertexReference,
} from "../../../lib/graph/index.ts";
import { Engine } from "../../../lib/simulator/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("bad input to graphs");

const move = (compute: (xs: ArrayLike<number>, out: { [index: number]: number }) => void) =>
  codelet(
    "Move",
    { in: input.vector("float"), out: output.vector("float") },
    ({ in: xs, out }) => compute(xs, out),
    ({ in: xs }) => xs.length,
  );
const plain = move((xs, out) => {
  for (let i = 0; i < xs.length; i++) out[i] = xs[i];
});

interface Parts {
  readonly graph: Graph;
  readonly a: TensorView;
  readonly b: TensorView;
  readonly halves: TensorView;
  /** Adds a vertex of the compute set "layer1/forward/move" on tile 3. */
  readonly add: (made?: typeof plain, edges?: { in?: TensorView; out?: TensorView }) => VertexReference;
  readonly program: () => Program;
}

function parts(): Parts {
  const graph = new Graph(devices.lecture);
  const [a, b] = ["a", "b"].map((name) => graph.addVariable("float", [8], name));
  const halves = graph.addVariable("half", [8], "halves");
  for (const tensor of [a, b, halves]) graph.setTileMapping(tensor, 1);
  const computeSet = graph.addComputeSet("layer1/forward/move");
  const add: Parts["add"] = (made = plain, edges = { in: a.slice(0, 4), out: b.slice(0, 4) }) => {
    const vertex = graph.addVertex(computeSet, made, edges);
    graph.setTileMapping(vertex, 3);
    return vertex;
  };
  return { graph, a, b, halves, add, program: () => execute(computeSet) };
}

/** What is done wrong, and what is said of it: the vertex with its debug path, or the tensor, and the remedy. */
const cases: Readonly<Record<string, readonly [wrong: (given: Parts) => unknown, said: RegExp]>> = {
  "an unmapped tensor": [
    ({ graph, program }) => {
      graph.addVariable("float", [3], "weights");
      return new Engine(graph, program());
    },
    /^variable "weights": every element must be on a tile, got none for element 0 of 3; call setTileMapping or mapLinearly/,
  ],
  "an unmapped vertex": [
    ({ graph, a, b, program }) => {
      graph.addVertex(graph.computeSets[0], plain, { in: a, out: b });
      return new Engine(graph, program());
    },
    /^vertex 0, layer1\/forward\/move\/Move: a vertex must be on a tile, got none; call setTileMapping for it$/,
  ],
  "writes that overlap in a compute set": [
    ({ graph, a, b, add, program }) => {
      add();
      add(plain, { in: a.slice(4, 8), out: b.slice(3, 7) });
      return new Engine(graph, program());
    },
    /^vertex 0, layer1\/forward\/move\/Move, field "out": an element must be written once in a compute set, got element 3 of "b" written by it and by vertex 1, layer1\/forward\/move\/Move, field "out"; write to a slice each, or use two compute sets$/,
  ],
  "a read of what is written in the compute set": [
    ({ graph, a, b, add, program }) => {
      add();
      add(plain, { in: b.slice(2, 6), out: a.slice(4, 8) });
      return new Engine(graph, program());
    },
    /^vertex 1, layer1\/forward\/move\/Move: what a compute set writes must not be read in it, got element 2 of "b" read by field "in" and written by vertex 0, layer1\/forward\/move\/Move, field "out"; move one of them to another compute set$/,
  ],
  "a field that is not connected": [
    ({ graph, a, add, program }) => {
      add(plain, { in: a });
      return new Engine(graph, program());
    },
    /^vertex 0, layer1\/forward\/move\/Move: every field must be connected, got nothing for "out"; name it in addVertex or call connect$/,
  ],
  "a type that does not match": [
    ({ graph, halves, add }) => graph.connect(add(), "in", halves),
    /^vertex 0, layer1\/forward\/move\/Move: field "in" must be connected to float, got "halves" half \[8\]; cast the tensor or change the codelet's field$/,
  ],
  "a tile out of range": [
    ({ graph, add }) => graph.setTileMapping(add(), 16),
    /^setTileMapping: tiles of Lecture run from 0 to 15, got 16 \(vertex 0, layer1\/forward\/move\/Move\); choose one of them$/,
  ],
  "recursion in call": [
    ({ graph, add, program }) => {
      add();
      const again = programFunction("again", (self) => call(self));
      program();
      return new Engine(graph, call(again));
    },
    /^program: a program must not call itself, got function again → again; tiles have no call stack, so use repeat or repeatWhile$/,
  ],
  "a codelet that throws": [
    ({ graph, add, program }) => {
      add(
        move(() => {
          throw new RangeError("too cold");
        }),
      );
      return new Engine(graph, program()).run();
    },
    /^vertex 0, layer1\/forward\/move\/Move: a codelet must compute within its fields, got "too cold" \(tile 3\); correct the codelet or what its fields are connected to$/,
  ],
  "a codelet that writes out of its fields": [
    ({ graph, add, program }) => {
      add(
        move((xs, out) => {
          out[xs.length] = 1;
        }),
      );
      return new Engine(graph, program()).run();
    },
    /^vertex 0, layer1\/forward\/move\/Move: a codelet must compute within its fields, got "field "out" has elements 0 to 3, not 4" \(tile 3\); correct the codelet/,
  ],
};

for (const [name, [wrong, said]] of Object.entries(cases)) {
  test(`${name} is told of, with where it is and what to do`, () => {
    let message = "";
    try {
      wrong(parts());
    } catch (error) {
      message = (error as Error).message;
    }
    assert.match(message, said);
  });
}

test.run();

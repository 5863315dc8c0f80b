import type { Graph } from "./graph.ts";
import { type Program, partsOf } from "./program.ts";
import { describeOutside } from "./streams.ts";
import { TensorView } from "./tensor-view.ts";

/** One way in which a graph or a program breaks a rule, as a sentence that names the place and the remedy. */
export interface Diagnostic {
  readonly rule:
    | "unmapped-tensor"
    | "unmapped-vertex"
    | "unconnected-field"
    | "overlapping-writes"
    | "read-of-written"
    | "recursion"
    | "foreign";
  readonly message: string;
}

// A student learns from the first few of a kind; the rest says the same of other places.
const shownPerRule = 5;

/** Collects diagnostics, up to a few of each rule. */
class Diagnostics {
  readonly list: Diagnostic[] = [];
  readonly #counts = new Map<Diagnostic["rule"], number>();

  add(rule: Diagnostic["rule"], message: () => string): void {
    const count = (this.#counts.get(rule) ?? 0) + 1;
    this.#counts.set(rule, count);
    if (count <= shownPerRule) this.list.push({ rule, message: message() });
  }

  isFull(rule: Diagnostic["rule"]): boolean {
    return (this.#counts.get(rule) ?? 0) >= shownPerRule;
  }
}

/** Everything that is wrong with a graph and with a program for it; of each rule the first five cases. */
export function verifyGraph(graph: Graph, program?: Program): readonly Diagnostic[] {
  const found = new Diagnostics();
  verifyMapping(graph, found);
  verifyVertices(graph, found);
  // Until every field is connected there is no knowing what a vertex writes.
  if (!found.list.some(({ rule }) => rule === "unconnected-field")) verifyHazards(graph, found);
  if (program !== undefined) verifyProgram(graph, program, found);
  return found.list;
}

/**
 * Refuses a graph and program that break a rule.
 *
 * @throws Error that lists what `verifyGraph` finds
 */
export function checkGraph(graph: Graph, program?: Program): void {
  const found = verifyGraph(graph, program);
  if (found.length > 0) throw new Error(found.map(({ message }) => message).join("\n"));
}

function verifyMapping(graph: Graph, found: Diagnostics): void {
  for (const { name, elements, mapping } of graph.variables.all) {
    const element = mapping.firstUnmapped(elements);
    if (element < 0) continue;
    found.add(
      "unmapped-tensor",
      () =>
        `variable "${name}": every element must be on a tile, got none for element ${element} of ${elements}; call setTileMapping or mapLinearly for it`,
    );
  }
}

function verifyVertices(graph: Graph, found: Diagnostics): void {
  const { vertices } = graph;
  for (let vertex = 0; vertex < vertices.count; vertex++) {
    if (vertices.tileOf(vertex) < 0) {
      found.add(
        "unmapped-vertex",
        () => `${graph.describeVertex(vertex)}: a vertex must be on a tile, got none; call setTileMapping for it`,
      );
    }
    for (const [place, [name]] of vertices.fieldsOf(vertex).entries()) {
      if (vertices.isConnected(vertex, place)) continue;
      found.add(
        "unconnected-field",
        () =>
          `${graph.describeVertex(vertex)}: every field must be connected, got nothing for "${name}"; name it in addVertex or call connect`,
      );
    }
  }
}

/** Elements of all variables counted through, so that one number says where an element is. */
function baseAddresses(graph: Graph): Float64Array {
  const bases = new Float64Array(graph.variables.all.length);
  let next = 0;
  for (const { id, elements } of graph.variables.all) {
    bases[id] = next;
    next += elements;
  }
  return bases;
}

/** Calls `visit` for the intervals of addresses that a field holds; for an element that one run repeats, `repeats` times at most. */
function forEachInterval(
  graph: Graph,
  bases: Float64Array,
  vertex: number,
  place: number,
  visit: (start: number, end: number) => void,
  repeats: 1 | 2,
): void {
  graph.vertices.forEachRun(vertex, place, (variable, start, count, step) => {
    const address = bases[variable] + start;
    if (step === 1) {
      if (count > 0) visit(address, address + count);
    } else if (step === 0) for (let i = 0; i < Math.min(count, repeats); i++) visit(address, address + 1);
    else for (let i = 0; i < count; i++) visit(address + i * step, address + i * step + 1);
  });
}

/**
 * Calls `visit` for the intervals of addresses that vertices write, or that they read and do not write: with the vertex
 * and the name of its field.
 */
function forEachAccess(
  graph: Graph,
  bases: Float64Array,
  members: Uint32Array,
  access: "write" | "read",
  visit: (start: number, end: number, vertex: number, field: string) => void,
): void {
  // Reading an element twice is nothing; writing it twice is a fault, and any more is the same one.
  const repeats = access === "write" ? 2 : 1;
  for (const vertex of members) {
    for (const [place, [name, field]] of graph.vertices.fieldsOf(vertex).entries()) {
      if (field.kind === "state" || (field.direction === "input") !== (access === "read")) continue;
      forEachInterval(graph, bases, vertex, place, (start, end) => visit(start, end, vertex, name), repeats);
    }
  }
}

/** A list of numbers in a typed array, so that millions are sorted as numbers and fast. */
class NumberList {
  #values = new Float64Array(1024);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  sorted(): Float64Array {
    return this.#values.slice(0, this.#length).sort();
  }
}

/** Vertices of one compute set run in no order: finds elements that two write, and such that are read and written. */
function verifyHazards(graph: Graph, found: Diagnostics): void {
  const bases = baseAddresses(graph);
  const members = verticesOfComputeSets(graph);
  for (const computeSet of graph.computeSets) {
    verifyComputeSet(graph, bases, members(computeSet.id), found);
  }
}

/** The vertices of each compute set, in order. */
export function verticesOfComputeSets(graph: Graph): (computeSet: number) => Uint32Array {
  const { vertices } = graph;
  const ends = new Uint32Array(graph.computeSets.length + 1);
  for (let vertex = 0; vertex < vertices.count; vertex++) ends[vertices.computeSetOf(vertex) + 1]++;
  for (let index = 1; index < ends.length; index++) ends[index] += ends[index - 1];
  const next = ends.slice();
  const order = new Uint32Array(vertices.count);
  for (let vertex = 0; vertex < vertices.count; vertex++) order[next[vertices.computeSetOf(vertex)]++] = vertex;
  return (computeSet) => order.subarray(ends[computeSet], ends[computeSet + 1]);
}

function verifyComputeSet(graph: Graph, bases: Float64Array, members: Uint32Array, found: Diagnostics): void {
  const startList = new NumberList();
  const endList = new NumberList();
  forEachAccess(graph, bases, members, "write", (start, end) => {
    startList.push(start);
    endList.push(end);
  });
  // Starts and ends sorted apart: intervals are disjoint if and only if no start lies before the end one place below.
  const starts = startList.sorted();
  const ends = endList.sorted();
  let disjoint = true;
  for (let i = 1; i < starts.length && !found.isFull("overlapping-writes"); i++) {
    if (starts[i] >= ends[i - 1]) continue;
    disjoint = false;
    reportOverlap(graph, bases, members, starts[i], found);
  }
  // Sorted apart, starts and ends belong together only if the intervals are disjoint.
  if (!disjoint) return;
  forEachAccess(graph, bases, members, "read", (start, end, vertex, field) => {
    const index = firstAbove(ends, start);
    if (index === ends.length || starts[index] >= end) return;
    found.add("read-of-written", () => {
      const address = Math.max(start, starts[index]);
      const writer = writersOf(graph, bases, members, address)[0];
      return `${graph.describeVertex(vertex)}: what a compute set writes must not be read in it, got ${nameOfAddress(graph, bases, address)} read by field "${field}" and written by ${writer}; move one of them to another compute set`;
    });
  });
}

function reportOverlap(
  graph: Graph,
  bases: Float64Array,
  members: Uint32Array,
  address: number,
  found: Diagnostics,
): void {
  found.add("overlapping-writes", () => {
    const [first, second] = writersOf(graph, bases, members, address);
    return `${first}: an element must be written once in a compute set, got ${nameOfAddress(graph, bases, address)} written by it and by ${second}; write to a slice each, or use two compute sets`;
  });
}

/** The fields that write an element, by name; as often as they do. */
function writersOf(graph: Graph, bases: Float64Array, members: Uint32Array, address: number): string[] {
  const writers: string[] = [];
  forEachAccess(graph, bases, members, "write", (start, end, vertex, field) => {
    if (start <= address && address < end) writers.push(`${graph.describeVertex(vertex)}, field "${field}"`);
  });
  return writers;
}

function nameOfAddress(graph: Graph, bases: Float64Array, address: number): string {
  const { all } = graph.variables;
  const variable = all.find(({ id, elements }) => bases[id] <= address && address < bases[id] + elements);
  if (variable === undefined) throw new Error(`internal: address ${address} is in no variable`);
  return `element ${address - bases[variable.id]} of "${variable.name}"`;
}

/** The first index whose value is above. */
function firstAbove(values: Float64Array, limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function verifyProgram(graph: Graph, program: Program, found: Diagnostics): void {
  const open: Program[] = [];
  const closed = new Set<Program>();
  const visit = (part: Program): void => {
    if (closed.has(part)) return;
    if (open.includes(part)) {
      const called = open.slice(open.indexOf(part)).flatMap((step) => (step.kind === "call" ? [step.callee.name] : []));
      const path =
        called.length > 0 ? `function ${called.join(" → ")} → ${called[0]}` : `a ${part.kind} that holds itself`;
      found.add(
        "recursion",
        () =>
          `program: a program must not call itself, got ${path}; tiles have no call stack, so use repeat or repeatWhile`,
      );
      return;
    }
    verifyOwnership(graph, part, found);
    open.push(part);
    for (const inner of partsOf(part)) visit(inner);
    open.pop();
    closed.add(part);
  };
  visit(program);
}

function verifyOwnership(graph: Graph, part: Program, found: Diagnostics): void {
  for (const value of Object.values(part) as unknown[]) {
    if (value instanceof TensorView && value.variables !== graph.variables) {
      found.add(
        "foreign",
        () => `${part.kind}: a tensor must be of the engine's graph, got ${value.describe()} of another; add it here`,
      );
    }
  }
  const outside = part.kind === "copyIn" ? part.source : part.kind === "copyOut" ? part.destination : null;
  if (outside !== null && !graph.outside.has(outside)) {
    found.add(
      "foreign",
      () =>
        `${part.kind}: what is copied must be of the engine's graph, got ${describeOutside(outside)} of another; add it here`,
    );
  }
  if (part.kind === "execute" && graph.computeSets[part.computeSet.id] !== part.computeSet) {
    found.add(
      "foreign",
      () =>
        `execute: a compute set must be of the engine's graph, got "${part.computeSet.name}" of another; add it here`,
    );
  }
}

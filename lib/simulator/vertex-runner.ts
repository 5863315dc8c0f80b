import type { Cell, Codelet, EdgeField, Graph, Run } from "../graph/index.ts";
import { allocateElements, type Elements, type Storage } from "./storage.ts";

/** A field while its vertex runs: what memory it is, and the copy that the codelet works on if it has one. */
interface OpenField {
  readonly name: string;
  readonly field: EdgeField;
  readonly runs: readonly Run[];
  readonly values: Elements;
  /** Whether `values` is a copy, so that what is written has to be carried back. */
  readonly copied: boolean;
}

/** Runs vertices on the values of their fields. */
export class VertexRunner {
  readonly #graph: Graph;
  readonly #storage: Storage;
  readonly #checkAll: boolean;

  /** @param checkAll look at every index of every codelet, of those too that are trusted */
  constructor(graph: Graph, storage: Storage, checkAll: boolean) {
    this.#graph = graph;
    this.#storage = storage;
    this.#checkAll = checkAll;
  }

  /**
   * Runs one vertex.
   *
   * @throws Error naming the vertex if its codelet throws, or reaches out of its fields
   */
  run(vertex: number): void {
    const { vertices } = this.#graph;
    const codelet = vertices.codeletOf(vertex);
    const checked = this.#checkAll || codelet.bounds === "checked";
    const open: OpenField[] = [];
    const handed: Record<string, unknown> = {};
    for (const [place, [name, field]] of vertices.fieldsOf(vertex).entries()) {
      if (field.kind === "state") {
        handed[name] = vertices.stateOf(vertex, place);
        continue;
      }
      const vectors = this.#runsOf(vertex, place, field).map((runs) => this.#open(runs, name, field, checked));
      open.push(...vectors);
      const values = vectors.map((opened) => handedValue(opened, checked));
      handed[name] = field.extent === "vectors" ? Object.freeze(values) : values[0];
    }
    try {
      codelet.compute(checked ? Object.freeze(handed as Parameters<Codelet["compute"]>[0]) : (handed as never));
      if (checked) this.#checkInputs(open);
    } catch (error) {
      throw this.#failure(vertex, error);
    }
    for (const { field, runs, values, copied } of open) {
      if (copied && field.direction !== "input") this.#storage.scatter(runs, values);
    }
  }

  /** The runs of each vector of a field; of one that is no list, its only ones. */
  #runsOf(vertex: number, place: number, { extent }: EdgeField): readonly (readonly Run[])[] {
    const { vertices } = this.#graph;
    const count = extent === "vectors" ? vertices.vectorsOf(vertex, place) : 1;
    const runs: Run[][] = Array.from({ length: count }, () => []);
    vertices.forEachRun(vertex, place, (variable, start, length, step, vector) => {
      runs[vector].push({ variable, start, count: length, step });
    });
    return runs;
  }

  #open(runs: readonly Run[], name: string, field: EdgeField, checked: boolean): OpenField {
    // Halves lie in memory as bits; what is written as bool has to be rounded on its way back.
    const converted = field.type === "half" || (field.direction !== "input" && field.type === "bool");
    if (!checked && !converted && runs.length === 1 && runs[0].step === 1) {
      const [{ variable, start, count }] = runs;
      return { name, field, runs, values: this.#storage.window(variable, start, count), copied: false };
    }
    const values = allocateElements(
      field.type,
      runs.reduce((sum, { count }) => sum + count, 0),
    );
    this.#storage.gather(runs, values);
    return { name, field, runs, values, copied: true };
  }

  #checkInputs(open: readonly OpenField[]): void {
    for (const { name, field, runs, values } of open) {
      if (field.direction !== "input") continue;
      const before = allocateElements(field.type, values.length);
      this.#storage.gather(runs, before);
      const place = before.findIndex((value, index) => !Object.is(value, values[index]));
      if (place >= 0) throw new Error(`field "${name}" is an input and must not be written (element ${place})`);
    }
  }

  #failure(vertex: number, error: unknown): Error {
    const reason = error instanceof Error ? error.message : String(error);
    const tile = this.#graph.vertices.tileOf(vertex);
    return new Error(
      `${this.#graph.describeVertex(vertex)}: a codelet must compute within its fields, got "${reason}" (tile ${tile}); correct the codelet or what its fields are connected to`,
      { cause: error },
    );
  }
}

function handedValue({ name, field, values }: OpenField, checked: boolean): unknown {
  if (field.extent === "scalar") return field.direction === "input" ? values[0] : cellOver(values);
  return checked ? guarded(name, field, values) : values;
}

/** An element to be written as `cell.value`; sealed, so that a mistyped name throws instead of vanishing. */
export function cellOver(values: Elements): Cell {
  return Object.seal({
    get value(): number {
      return values[0];
    },
    set value(value: number) {
      values[0] = value;
    },
  });
}

/** A vector that tells of an index that it does not have: typed arrays keep quiet about it. */
function guarded(name: string, field: EdgeField, values: Elements): Elements {
  const check = (key: string): void => {
    const index = Number(key);
    const isIndex = Number.isInteger(index) && index >= 0 && index < values.length;
    if (!isIndex && (key === "NaN" || !Number.isNaN(index))) {
      throw new Error(`field "${name}" has elements 0 to ${values.length - 1}, not ${key}`);
    }
  };
  return new Proxy(values, {
    get(target, key) {
      if (typeof key === "string") check(key);
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
    set(target, key, value) {
      if (typeof key === "string") check(key);
      if (field.direction === "input") throw new Error(`field "${name}" is an input and must not be written`);
      return Reflect.set(target, key, value, target);
    },
  });
}

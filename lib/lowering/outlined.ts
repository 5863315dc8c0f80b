import type { PlacedTensor, VertexFamily } from "../graph/index.ts";
import type { Operation } from "../ir/index.ts";
import type { OperatorName } from "../ops/index.ts";
import type { Lowering } from "./lowering.ts";
import type { Partition } from "./outline.ts";
import { rules } from "./table.ts";

/** A partition that is mapped once: its vertices, and who calls them. */
export interface OutlinedFunction {
  readonly name: string;
  readonly operators: readonly string[];
  readonly families: readonly VertexFamily[];
  /** The layers that call it, in order. */
  readonly callers: readonly string[];
}

interface Mapped extends OutlinedFunction {
  readonly callers: string[];
  readonly formals: readonly PlacedTensor[];
  readonly results: readonly PlacedTensor[];
}

/** Lowers repeated partitions: the first time to vertices on variables of their own, then to calls of these. */
export class Outlined {
  readonly #lowering: Lowering;
  readonly #partitions = new Map<Operation, Partition>();
  readonly #inside = new Set<Operation>();
  readonly #mapped = new Map<string, Mapped>();

  constructor(lowering: Lowering, partitions: readonly Partition[]) {
    this.#lowering = lowering;
    for (const partition of partitions) this.#partitions.set(partition.operations[0], partition);
  }

  get functions(): readonly OutlinedFunction[] {
    return [...this.#mapped.values()].map(({ name, operators, families, callers }) => ({
      name,
      operators,
      families,
      callers,
    }));
  }

  /** Lowers the partition that an operation begins; true if the operation is part of one. */
  take(operation: Operation): boolean {
    if (this.#inside.has(operation)) return true;
    const partition = this.#partitions.get(operation);
    if (partition === undefined) return false;
    for (const member of partition.operations) this.#inside.add(member);
    const known = this.#mapped.get(partition.key);
    if (known === undefined) this.#map(partition);
    else this.#call(partition, known);
    return true;
  }

  #map({ operations, inputs, outputs, key }: Partition): void {
    const lowering = this.#lowering;
    const { graph } = lowering;
    const [{ layer }] = operations;
    const name = `function ${this.#mapped.size + 1} (${layer})`;
    const actual = inputs.map((value) => lowering.get(value));
    const formals = inputs.map((value, index) => lowering.addFormal(value, `${name}, input ${index}`));
    const copies = formals.map(
      ({ variable }, index) =>
        () =>
          graph.addCopy(`${layer}/call/input ${index}`, actual[index].variable, variable),
    );
    for (const copy of copies) copy();
    const before = graph.families.length;
    for (const operation of operations) {
      lowering.within(operation, () => rules[operation.operator as OperatorName](lowering, operation));
    }
    const families = graph.families.slice(before);
    // What is given to the whole graph lies where the function wants it, so that a call copies it within tiles.
    for (const [index, value] of inputs.entries()) {
      lowering.define(value, actual[index]);
      lowering.place(actual[index], (block) => formals[index].variable.tiles[block]);
    }
    const results = outputs.map((value) => lowering.get(value));
    const mapped = {
      name,
      operators: operations.map(({ operator }) => operator),
      families,
      callers: [layer],
      formals,
      results,
    };
    this.#mapped.set(key, mapped);
    this.#copyResults(outputs, mapped, layer);
  }

  #call({ operations, inputs, outputs }: Partition, mapped: Mapped): void {
    const lowering = this.#lowering;
    const { graph } = lowering;
    const [first] = operations;
    const { layer } = first;
    lowering.within(first, () => {
      for (const [index, value] of inputs.entries()) {
        const formal = mapped.formals[index];
        const actual = lowering.getIn(value, formal.layout);
        lowering.place(actual, (block) => formal.variable.tiles[block]);
        graph.addCopy(`${layer}/call/input ${index}`, actual.variable, formal.variable);
      }
    });
    for (const family of mapped.families) graph.repeat(family);
    mapped.callers.push(layer);
    this.#copyResults(outputs, mapped, layer);
  }

  /** Results go to variables of the caller's own, on the same tiles, as the next call writes over them. */
  #copyResults(outputs: Partition["outputs"], { results }: Mapped, layer: string): void {
    const { graph } = this.#lowering;
    for (const [index, value] of outputs.entries()) {
      const { variable, layout } = results[index];
      const name = `${layer}/call/output ${index}`;
      const own = graph.addVariable({ name, type: variable.type, layout, role: "made" });
      own.tiles.set(variable.tiles);
      graph.addCopy(name, variable, own);
      this.#lowering.define(value, { variable: own, layout });
    }
  }
}

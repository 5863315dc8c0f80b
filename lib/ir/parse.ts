import { type Dtype, dtypes, type TensorType } from "../tensor/index.ts";
import type { Attribute, GraphInput, GraphOutput, InputRole, Operation, OperatorGraph, Phase, Value } from "./graph.ts";

/** Reads one line of the text form, from left to right. */
class Line {
  readonly #text: string;
  readonly #number: number;
  #position = 0;

  constructor(text: string, number: number) {
    this.#text = text;
    this.#number = number;
  }

  fail(expected: string): never {
    const rest = this.#text.slice(this.#position) || "the end of the line";
    throw new Error(
      `graph text: expected ${expected}, got ${rest} (line ${this.#number}, column ${this.#position + 1}); compare it with what printGraph writes`,
    );
  }

  /** What `pattern` matches here, white space before it passed over; null if it does not match. */
  match(pattern: RegExp): string | null {
    const sticky = new RegExp(`\\s*(${pattern.source})`, "y");
    sticky.lastIndex = this.#position;
    const found = sticky.exec(this.#text);
    if (found === null) return null;
    this.#position = sticky.lastIndex;
    return found[1];
  }

  take(pattern: RegExp, expected: string): string {
    return this.match(pattern) ?? this.fail(expected);
  }

  string(): string {
    return JSON.parse(this.take(/"(?:[^"\\]|\\.)*"/, "a quoted name")) as string;
  }

  valueId(): number {
    return Number(this.take(/%\d+/, "a value such as %3").slice(1));
  }

  type(): TensorType {
    const word = this.take(/[a-z]+\d*/, "a dtype");
    if (!dtypes.includes(word as Dtype)) this.fail(`one of ${dtypes.join(", ")}`);
    const inside = this.take(/\[[\d,]*\]/, "a shape such as [64,128]").slice(1, -1);
    return { dtype: word as Dtype, shape: inside === "" ? [] : inside.split(",").map(Number) };
  }

  attribute(): Attribute {
    const number = this.match(/-?(?:Infinity|NaN|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/);
    if (number !== null) return Number(number);
    const word = this.match(/true|false/);
    if (word !== null) return word === "true";
    if (this.match(/\[/) === null) return this.string();
    return this.listUntil(/\]/, () => this.attribute()) as number[];
  }

  /** Items with commas between them, up to and with what `close` matches. */
  listUntil<T>(close: RegExp, item: () => T): T[] {
    const items: T[] = [];
    while (this.match(close) === null) {
      if (items.length > 0) this.take(/,/, "a comma");
      items.push(item());
    }
    return items;
  }

  end(): void {
    if (this.match(/$/) === null) this.fail("the end of the line");
  }
}

const roles: readonly string[] = ["data", "parameter", "state", "hyperparameter"] satisfies InputRole[];

/**
 * Reads what `printGraph` writes; the graph is not verified.
 *
 * @throws Error naming line and column of the first thing that does not fit
 */
export function parseGraph(text: string): OperatorGraph {
  const values = new Map<number, Value>();
  const inputs: GraphInput[] = [];
  const operations: Operation[] = [];
  const outputs: GraphOutput[] = [];
  let name: string | undefined;

  const known = (line: Line): Value => {
    const id = line.valueId();
    return values.get(id) ?? line.fail(`a value defined above, not %${id}`);
  };
  const define = (id: number, type: TensorType): Value => {
    const value = { id, type };
    values.set(id, value);
    return value;
  };

  for (const [index, content] of text.split("\n").entries()) {
    if (content.trim() === "" || content.trimStart().startsWith("//")) continue;
    const line = new Line(content, index + 1);
    if (name === undefined) {
      line.take(/graph\b/, "the word graph");
      name = line.string();
    } else if (line.match(/output\b/) !== null) {
      const output = line.string();
      line.take(/=/, "=");
      const value = known(line);
      outputs.push({ name: output, value, updates: line.match(/updates\b/) === null ? null : known(line) });
    } else {
      const results = [line.valueId()];
      while (line.match(/,/) !== null) results.push(line.valueId());
      line.take(/=/, "=");
      const word = line.take(/\w+/, "an operator or a role");
      if (roles.includes(word)) {
        const input = line.string();
        line.take(/:/, "a colon");
        inputs.push({ value: define(results[0], line.type()), name: input, role: word as InputRole });
      } else {
        operations.push(parseOperation(line, word, results, known, define));
      }
    }
    line.end();
  }
  if (name === undefined)
    throw new Error('graph text: expected the word graph, got an empty text; begin with graph "name"');
  return { name, inputs, operations, outputs };
}

function parseOperation(
  line: Line,
  operator: string,
  results: readonly number[],
  known: (line: Line) => Value,
  define: (id: number, type: TensorType) => Value,
): Operation {
  line.take(/\(/, "an opening bracket");
  const inputs = line.listUntil(/\)/, () => known(line));
  const attributes: Record<string, Attribute> = {};
  if (line.match(/\{/) !== null) {
    line.listUntil(/\}/, () => {
      const key = line.take(/\w+/, "an attribute's name");
      line.take(/:/, "a colon");
      attributes[key] = line.attribute();
    });
  }
  line.take(/:/, "a colon");
  const outputs = results.map((id, position) => {
    if (position > 0) line.take(/,/, "a comma");
    return define(id, line.type());
  });
  line.take(/@/, "@");
  const phase = line.take(/forward|backward|update/, "forward, backward or update") as Phase;
  const operation: Operation = { operator, inputs, attributes, outputs, phase, layer: line.string() };
  return line.match(/recomputed\b/) === null ? operation : { ...operation, recomputed: true };
}

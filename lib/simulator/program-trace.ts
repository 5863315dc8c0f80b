import { describeOutside, type Program, type ProgramFunction, partsOf } from "../graph/index.ts";
import type { ProgramNode, ProgramTree } from "./program-tree.ts";
import type { Superstep } from "./superstep.ts";

/** A part of a program while it runs. */
export interface TracedPart {
  readonly program: Program;
  /** In the order of `partsOf`; for a call, the one body of its function. */
  readonly parts: readonly TracedPart[];
  times: number;
  supersteps: number;
  cycles: number;
  bytes: number;
}

/** A program's parts with what they have taken; a part that stands at two places is two, a called function one. */
export class ProgramTrace {
  readonly root: TracedPart;
  readonly #functions = new Map<ProgramFunction, TracedPart>();
  // Parts that are running, outermost first.
  readonly #running: TracedPart[] = [];

  constructor(program: Program) {
    this.root = this.#trace(program);
  }

  begin(part: TracedPart): void {
    part.times++;
    this.#running.push(part);
  }

  end(): void {
    this.#running.pop();
  }

  /** A superstep counts for every part that is running. */
  pass({ cycles, exchangedBytes, hostBytes }: Superstep): void {
    for (const part of this.#running) {
      part.supersteps++;
      part.cycles += cycles;
      part.bytes += exchangedBytes + hostBytes;
    }
  }

  /** Nothing has run. */
  clear(): void {
    this.#running.length = 0;
    const clear = (part: TracedPart): void => {
      Object.assign(part, { times: 0, supersteps: 0, cycles: 0, bytes: 0 });
      if (part.program.kind !== "call") for (const inner of part.parts) clear(inner);
    };
    for (const part of [this.root, ...this.#functions.values()]) clear(part);
  }

  tree(device: string, verticesOf: (computeSet: number) => number): ProgramTree {
    const node = (part: TracedPart): ProgramNode => {
      const { program, times, supersteps, cycles, bytes, parts } = part;
      const vertices = program.kind === "execute" ? verticesOf(program.computeSet.id) : 0;
      const inner = program.kind === "call" ? [] : parts.map(node);
      return { kind: program.kind, name: nameOf(program), times, vertices, supersteps, cycles, bytes, parts: inner };
    };
    const functions = [...this.#functions].map(([{ name }, body]) => ({ name, body: node(body) }));
    return { kind: "program-tree", device, root: node(this.root), functions };
  }

  #trace(program: Program): TracedPart {
    const parts =
      program.kind === "call"
        ? [this.#traceFunction(program.callee)]
        : partsOf(program).map((part) => this.#trace(part));
    return { program, parts, times: 0, supersteps: 0, cycles: 0, bytes: 0 };
  }

  #traceFunction(callee: ProgramFunction): TracedPart {
    let body = this.#functions.get(callee);
    if (body === undefined) {
      body = this.#trace(callee.body);
      this.#functions.set(callee, body);
    }
    return body;
  }
}

function nameOf(program: Program): string {
  switch (program.kind) {
    case "execute":
      return program.computeSet.name;
    case "copy":
      return `${program.source.describe()} to ${program.destination.describe()}`;
    case "copyIn":
      return `${describeOutside(program.source)} to ${program.destination.describe()}`;
    case "copyOut":
      return `${program.source.describe()} to ${describeOutside(program.destination)}`;
    case "repeat":
      return `${program.count} times`;
    case "repeatWhile":
      return `${program.expected ? "" : "not "}${program.predicate.describe()}`;
    case "if":
      return program.predicate.describe();
    case "switch":
      return `${program.selector.describe()}, cases ${[...program.cases.keys()].join(", ")} and otherwise`;
    case "call":
      return program.callee.name;
    case "printTensor":
      return program.title;
    case "errorProgram":
      return `"${program.message}"`;
    case "sequence":
      return "";
  }
}

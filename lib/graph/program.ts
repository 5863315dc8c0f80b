import type { ComputeSet } from "./compute-set.ts";
import { hasRepeats } from "./pieces.ts";
import { type DataStream, describeOutside, type Outside, type RemoteBuffer } from "./streams.ts";
import type { TensorView } from "./tensor-view.ts";

/** A program that others call: its vertices and its memory exist once, however often it is called. */
export interface ProgramFunction {
  readonly name: string;
  readonly body: Program;
}

/** A row of a remote buffer: its number, or an int on the device that holds it; 0 for streams, which have none. */
export type Row = number | TensorView;

/** What a device does, as plain data. Conditions are scalars: they hold if they are not 0. */
export type Program =
  | { readonly kind: "sequence"; readonly programs: readonly Program[] }
  | { readonly kind: "execute"; readonly computeSet: ComputeSet }
  | { readonly kind: "copy"; readonly source: TensorView; readonly destination: TensorView }
  | { readonly kind: "copyIn"; readonly source: Outside; readonly row: Row; readonly destination: TensorView }
  | { readonly kind: "copyOut"; readonly source: TensorView; readonly destination: Outside; readonly row: Row }
  | { readonly kind: "repeat"; readonly count: number; readonly body: Program }
  | {
      readonly kind: "repeatWhile";
      readonly condition: Program;
      readonly predicate: TensorView;
      readonly expected: boolean;
      readonly body: Program;
    }
  | { readonly kind: "if"; readonly predicate: TensorView; readonly then: Program; readonly otherwise: Program }
  | {
      readonly kind: "switch";
      readonly selector: TensorView;
      readonly cases: ReadonlyMap<number, Program>;
      readonly otherwise: Program;
    }
  | { readonly kind: "call"; readonly callee: ProgramFunction }
  | { readonly kind: "printTensor"; readonly tensor: TensorView; readonly title: string }
  | { readonly kind: "errorProgram"; readonly message: string };

/** One program after the other; an empty sequence does nothing. */
export function sequence(programs: readonly Program[] = []): Program {
  return { kind: "sequence", programs };
}

/** All vertices of a compute set, at once. */
export function execute(computeSet: ComputeSet): Program {
  return { kind: "execute", computeSet };
}

/**
 * Copies: of the elements of one tensor to those of another of the same shape and type; of what the host hands over on a
 * stream to a tensor, and of a tensor to a stream; of a row of a remote buffer to a tensor and back.
 *
 * @param row which row of a remote buffer; the first unless told otherwise
 * @throws Error if shapes or types differ, if the destination holds a constant, or if a stream goes the other way
 */
export function copy(source: TensorView, destination: TensorView): Program;
export function copy(source: DataStream, destination: TensorView): Program;
export function copy(source: TensorView, destination: DataStream): Program;
export function copy(source: RemoteBuffer, destination: TensorView, row?: Row): Program;
export function copy(source: TensorView, destination: RemoteBuffer, row?: Row): Program;
export function copy(source: TensorView | Outside, destination: TensorView | Outside, row: Row = 0): Program {
  if (source.kind !== "tensor") {
    if (destination.kind !== "tensor") {
      throw new Error(
        `copy: one side must be a tensor, got ${describeOutside(source)} and ${describeOutside(destination)}; copy to a tensor first`,
      );
    }
    checkOutside(source, destination, "hostToDevice", row);
    checkDestination(destination);
    return { kind: "copyIn", source, row, destination };
  }
  if (destination.kind !== "tensor") {
    checkOutside(destination, source, "deviceToHost", row);
    return { kind: "copyOut", source, destination, row };
  }
  if (source.type !== destination.type || source.shape.join() !== destination.shape.join()) {
    throw new Error(
      `copy: both tensors must have one type and shape, got ${source.describe()} and ${destination.describe()}; reshape or cast one of them`,
    );
  }
  checkDestination(destination);
  return { kind: "copy", source, destination };
}

function checkDestination(destination: TensorView): void {
  checkWritable("copy", destination);
  if (hasRepeats(destination.runs)) {
    throw new Error(
      `copy: each element of the destination must be there once, got ${destination.describe()} with repeats; copy to the tensor itself`,
    );
  }
}

function checkOutside(outside: Outside, tensor: TensorView, direction: DataStream["direction"], row: Row): void {
  if (outside.type !== tensor.type || outside.elements !== tensor.elements) {
    throw new Error(
      `copy: both sides must have one type and as many elements, got ${describeOutside(outside)} and ${tensor.describe()}; slice or cast the tensor`,
    );
  }
  if (outside.kind === "stream") {
    if (outside.direction === direction) return;
    const [way, remedy] =
      direction === "hostToDevice" ? ["from the host", "addHostToDeviceFIFO"] : ["to the host", "addDeviceToHostFIFO"];
    throw new Error(
      `copy: the stream must lead ${way}, got ${describeOutside(outside)} that leads the other way; add one by ${remedy}`,
    );
  }
  if (typeof row !== "number") {
    if (row.elements === 1 && row.type === "int") return;
    throw new Error(`copy: the row must be one int, got ${row.describe()} (${describeOutside(outside)}); index it`);
  }
  if (Number.isSafeInteger(row) && row >= 0 && row < outside.rows) return;
  throw new Error(
    `copy: rows run from 0 to ${outside.rows - 1}, got ${row} (${describeOutside(outside)}); choose one of them`,
  );
}

/** A program a number of times. */
export function repeat(count: number, body: Program): Program {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new Error(`repeat: the count must be a whole number ≥ 0, got ${count}; use repeatWhile for a condition`);
  }
  return { kind: "repeat", count, body };
}

/** Runs `condition`, then `body` as long as `predicate` then holds; with `expected` false, as long as it does not. */
export function repeatWhile(condition: Program, predicate: TensorView, body: Program, expected = true): Program {
  checkScalar("repeatWhile", predicate);
  return { kind: "repeatWhile", condition, predicate, expected, body };
}

/** One program if the predicate holds, else the other. */
export function branch(predicate: TensorView, then: Program, otherwise: Program = sequence()): Program {
  checkScalar("if", predicate);
  return { kind: "if", predicate, then, otherwise };
}

/** The program that stands beside the selector's value, or `otherwise`. */
export function choose(
  selector: TensorView,
  cases: Readonly<Record<number, Program>>,
  otherwise: Program = sequence(),
): Program {
  checkScalar("switch", selector);
  if (selector.type !== "int") {
    throw new Error(`switch: the selector must be int, got ${selector.describe()}; cast it`);
  }
  const table = new Map(Object.entries(cases).map(([key, program]) => [Number(key), program]));
  return { kind: "switch", selector, cases: table, otherwise };
}

/**
 * A program to be called by name. `body` may be a function of the handle itself, as a program may be told what it
 * calls before it is there; a program that so calls itself is refused when an engine is built.
 */
export function programFunction(name: string, body: Program | ((self: ProgramFunction) => Program)): ProgramFunction {
  const self: { name: string; body: Program } = { name, body: sequence() };
  self.body = typeof body === "function" ? body(self) : body;
  return self;
}

/** A call of a function: the same vertices on the same memory every time. */
export function call(callee: ProgramFunction): Program {
  return { kind: "call", callee };
}

/** Shows a tensor's values where the engine prints. */
export function printTensor(tensor: TensorView, title = tensor.describe()): Program {
  return { kind: "printTensor", tensor, title };
}

/** Stops the device with a message. */
export function errorProgram(message: string): Program {
  return { kind: "errorProgram", message };
}

/** The programs that a program holds, a called one among them. */
export function partsOf(program: Program): readonly Program[] {
  switch (program.kind) {
    case "sequence":
      return program.programs;
    case "repeat":
      return [program.body];
    case "repeatWhile":
      return [program.condition, program.body];
    case "if":
      return [program.then, program.otherwise];
    case "switch":
      return [...program.cases.values(), program.otherwise];
    case "call":
      return [program.callee.body];
    default:
      return [];
  }
}

/** @throws Error if the tensor holds an element of a constant */
export function checkWritable(subject: string, tensor: TensorView): void {
  for (const { variable } of tensor.runs) {
    const { constant, name } = tensor.variables.all[variable];
    if (constant) {
      throw new Error(
        `${subject}: a constant must not be written, got "${name}"; use addVariable and setInitialValue for what changes`,
      );
    }
  }
}

function checkScalar(subject: string, tensor: TensorView): void {
  if (tensor.elements !== 1) {
    throw new Error(`${subject}: the condition must be one element, got ${tensor.describe()}; index it`);
  }
}

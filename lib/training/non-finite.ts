import type { Execution } from "../engine/index.ts";
import type { Operation, OperatorGraph, Value } from "../ir/index.ts";
import { type OperatorName, operatorTable } from "../ops/index.ts";
import { allocate, elementCount, formatType, type HostTensor } from "../tensor/index.ts";
import { Pauses } from "./host.ts";

/** Where numbers first stopped being finite. */
export type FirstNonFinite =
  | { readonly kind: "input"; readonly name: string; readonly element: number; readonly value: number }
  | {
      readonly kind: "operation";
      readonly operation: Operation;
      readonly value: number;
      /** The largest magnitude among what the operation was given. */
      readonly largestInput: number;
    };

/**
 * Takes a step that an execution has been given once more, operation by operation as each is declared, and stops at the
 * first number that is not finite. The execution is only read.
 *
 * @returns null if every number is finite, as it may be where an engine rounds otherwise than the declarations
 */
export async function findFirstNonFinite(execution: Execution): Promise<FirstNonFinite | null> {
  const { graph } = execution.program.schedule;
  const known = new Map<number, HostTensor>();
  for (const { name, value } of graph.inputs) {
    const data = execution.input(name);
    const element = firstBad({ ...value.type, data });
    if (element !== null) return { kind: "input", name, element, value: data[element] };
    known.set(value.id, { ...value.type, data });
  }
  const lastUses = lastUsesOf(graph);
  const pauses = new Pauses();
  for (const [position, operation] of graph.operations.entries()) {
    const inputs = operation.inputs.map(({ id }) => known.get(id) as HostTensor);
    const outputs = operation.outputs.map(({ type }) => ({
      ...type,
      data: allocate(type.dtype, elementCount(type.shape)),
    }));
    operatorTable[operation.operator as OperatorName].compute(inputs, outputs, operation.attributes);
    for (const output of outputs) {
      const element = firstBad(output);
      if (element === null) continue;
      const largestInput = Math.max(0, ...inputs.map(largestMagnitude));
      return { kind: "operation", operation, value: output.data[element], largestInput };
    }
    for (const [index, { id }] of operation.outputs.entries()) known.set(id, outputs[index]);
    for (const id of lastUses[position]) known.delete(id);
    if (pauses.due()) await pauses.take();
  }
  return null;
}

/** For each operation, the values that nobody needs after it. */
function lastUsesOf({ operations }: OperatorGraph): readonly (readonly number[])[] {
  const seen = new Set<number>();
  const uses: number[][] = [];
  for (let position = operations.length - 1; position >= 0; position--) {
    const { inputs, outputs } = operations[position];
    uses[position] = [...inputs, ...outputs].map(({ id }: Value) => id).filter((id) => !seen.has(id));
    for (const { id } of [...inputs, ...outputs]) seen.add(id);
  }
  return uses;
}

/** The first element that is NaN or an infinity; null if there is none. */
function firstBad({ dtype, data }: HostTensor): number | null {
  if (dtype !== "float32" && dtype !== "float64") return null;
  const index = (data as Float32Array).findIndex((value) => !Number.isFinite(value));
  return index < 0 ? null : index;
}

function largestMagnitude({ dtype, data }: HostTensor): number {
  if (dtype !== "float32" && dtype !== "float64") return 0;
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(data[i]));
  return largest;
}

/** What was found, in a sentence's middle. */
export function describeFirstNonFinite(found: FirstNonFinite | null): string {
  if (found === null) {
    return "taken again operation by operation every number stays finite, so the engine's rounding decides";
  }
  if (found.kind === "input") return `${found.name} holds ${found.value} (element ${found.element}) before the step`;
  const { operation, value, largestInput } = found;
  const { operator, layer, phase, outputs } = operation;
  const where = layer === "" ? "outside layers" : `in layer ${layer}`;
  const from = operation.inputs.length > 0 ? ` of numbers up to ${largestInput.toPrecision(3)}` : "";
  return `${operator} ${where} (${phase}, ${formatType(outputs[0].type)}) made ${value}${from}`;
}

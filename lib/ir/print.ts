import { formatType } from "../tensor/index.ts";
import type { Attribute, Operation, OperatorGraph } from "./graph.ts";

/**
 * A graph as text, a line for each input, operation and output; `parseGraph` reads it back.
 *
 * ```
 * graph "step"
 * %0 = data "x" : float32[64,784]
 * %2 = matmul(%0, %1) {transposeA: false, transposeB: false} : float32[64,128] @ forward "dense1"
 * output "loss" = %9
 * output "dense1.weight" = %14 updates %1
 * ```
 */
export function printGraph(graph: OperatorGraph): string {
  const lines = [`graph ${JSON.stringify(graph.name)}`];
  for (const { value, name, role } of graph.inputs) {
    lines.push(`%${value.id} = ${role} ${JSON.stringify(name)} : ${formatType(value.type)}`);
  }
  for (const operation of graph.operations) lines.push(printOperation(operation));
  for (const { name, value, updates } of graph.outputs) {
    lines.push(`output ${JSON.stringify(name)} = %${value.id}${updates === null ? "" : ` updates %${updates.id}`}`);
  }
  return `${lines.join("\n")}\n`;
}

/** One operation as a line of text. */
function printOperation(operation: Operation): string {
  const { operator, inputs, attributes, outputs, phase, layer, recomputed } = operation;
  const results = outputs.map((output) => `%${output.id}`).join(", ");
  const operands = inputs.map((input) => `%${input.id}`).join(", ");
  const entries = Object.entries(attributes).map(([name, value]) => `${name}: ${printAttribute(value)}`);
  const braces = entries.length > 0 ? ` {${entries.join(", ")}}` : "";
  const types = outputs.map((output) => formatType(output.type)).join(", ");
  const again = recomputed ? " recomputed" : "";
  return `${results} = ${operator}(${operands})${braces} : ${types} @ ${phase} ${JSON.stringify(layer)}${again}`;
}

// JSON has no word for these, and losing them would be silent.
const special = new Map<number, string>([
  [Number.POSITIVE_INFINITY, "Infinity"],
  [Number.NEGATIVE_INFINITY, "-Infinity"],
]);

function printAttribute(value: Attribute): string {
  if (typeof value === "number") {
    if (Number.isNaN(value)) return "NaN";
    return special.get(value) ?? (Object.is(value, -0) ? "-0" : String(value));
  }
  if (Array.isArray(value)) return `[${value.map(printAttribute).join(", ")}]`;
  return JSON.stringify(value);
}

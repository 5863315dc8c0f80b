import { printAffine } from "./affine.ts";
import { visitAll } from "./analysis.ts";
import type { Buffer } from "./buffer.ts";
import { type Expression, operandsOf } from "./expression.ts";
import type { Kernel, Nest, Store } from "./nest.ts";

/** A kernel as text, for people who want to see what an operator became. */
export function printKernel(kernel: Kernel): string {
  return [
    `kernel "${kernel.name}"`,
    ...kernel.nests.flatMap((nest) => printNest(nest).map((line) => `  ${line}`)),
  ].join("\n");
}

function printNest(nest: Nest): string[] {
  const lines = [`nest "${nest.name}"`];
  let indent = "  ";
  const storesAt = (depth: number): void => {
    const stores = nest.stores.filter((store) => store.depth === depth);
    for (const line of printStores(stores)) lines.push(`${indent}${line}`);
  };
  storesAt(0);
  for (const [position, { axis, tile, parallel }] of nest.loops.entries()) {
    const flags = [
      tile > 1 ? ` by ${tile}` : "",
      axis === nest.vector ? " in lanes" : "",
      parallel ? " on any thread" : "",
    ];
    lines.push(`${indent}for ${axis.name} < ${axis.extent}${flags.join("")}`);
    indent += "  ";
    storesAt(position + 1);
  }
  for (const inner of nest.inside ?? []) lines.push(...printNest(inner).map((line) => `${indent}${line}`));
  return lines;
}

/** Stores, and before them a line for each node that is used more than once. */
function printStores(stores: readonly Store[]): string[] {
  const roots = stores.map((store) => store.value);
  const uses = new Map<Expression, number>();
  visitAll(roots, (expression) => {
    for (const operand of operandsOf(expression)) uses.set(operand, (uses.get(operand) ?? 0) + 1);
  });
  const names = new Map<Expression, string>();
  const lines: string[] = [];
  visitAll(roots, (expression) => {
    if ((uses.get(expression) ?? 0) < 2 || expression.kind === "constant" || expression.kind === "load") return;
    const text = printExpression(expression, names);
    names.set(expression, `t${names.size}`);
    lines.push(`t${names.size - 1} = ${text}`);
  });
  for (const { buffer, index, value } of stores) {
    lines.push(`${printBuffer(buffer)}[${printAffine(index)}] = ${printExpression(value, names)}`);
  }
  return lines;
}

function printBuffer(buffer: Buffer): string {
  return buffer.kind === "value" ? `%${buffer.id}` : `scratch${buffer.index}`;
}

/** An expression as text; nodes that have a name are not spelled out. */
export function printExpression(expression: Expression, names: ReadonlyMap<Expression, string> = new Map()): string {
  const name = names.get(expression);
  if (name !== undefined) return name;
  const operands = operandsOf(expression)
    .map((operand) => printExpression(operand, names))
    .join(", ");
  switch (expression.kind) {
    case "constant":
      return String(expression.value);
    case "load":
      return `${printBuffer(expression.buffer)}[${printAffine(expression.index)}]`;
    case "index":
      return `(${printAffine(expression.index)})`;
    case "unary":
    case "binary":
    case "compare":
      return `${expression.name}(${operands})`;
    case "multiplyAdd":
    case "select":
      return `${expression.kind}(${operands})`;
    case "reduce": {
      const axes = expression.axes.map(({ name, extent }) => `${name} < ${extent}`).join(", ");
      return `${expression.combine}(${axes}: ${operands})`;
    }
  }
}

import { formatType, sameType } from "../tensor/index.ts";
import { completeAttributes } from "./attributes.ts";
import type { Operation, OperatorGraph, Value } from "./graph.ts";
import { inferOutputTypes } from "./infer.ts";
import type { OperatorTable } from "./operator.ts";

/**
 * Everything that is wrong with a graph, in order; empty for a sound one. Checked are: values are defined once
 * and before their use, operations do not need each other in a circle, operators are known, attributes and input types are allowed, output types are those the
 * operator gives, and what updates an input has its type.
 */
export function verify(graph: OperatorGraph, operators: OperatorTable): string[] {
  const problems: string[] = [];
  const defined = new Map<number, Value>();
  const define = (value: Value, where: string): void => {
    if (defined.has(value.id)) problems.push(`graph: values must be defined once, got %${value.id} twice (${where})`);
    defined.set(value.id, value);
  };
  const use = (value: Value, where: string): void => {
    const definition = defined.get(value.id);
    if (definition === undefined) {
      problems.push(`graph: values must be defined before their use, got %${value.id} (${where})`);
    } else if (!sameType(definition.type, value.type)) {
      problems.push(
        `graph: a use must have the type of its definition, got ${formatType(value.type)} for %${value.id} of ${formatType(definition.type)} (${where})`,
      );
    }
  };

  for (const { value, name } of graph.inputs) define(value, `input "${name}"`);
  for (const [index, operation] of graph.operations.entries()) {
    const where = `operation ${index}, ${nameOf(operation)}`;
    for (const input of operation.inputs) use(input, where);
    const operator = operators[operation.operator];
    if (operator === undefined) {
      problems.push(`graph: operators must be known, got ${operation.operator} (${where})`);
    } else {
      try {
        const attributes = completeAttributes(operator.name, operator.attributes, operation.attributes);
        const types = inferOutputTypes(
          operator,
          operation.inputs.map((input) => input.type),
          attributes,
          operation.layer,
        );
        const got = operation.outputs.map((output) => formatType(output.type)).join(", ");
        const expected = types.map(formatType).join(", ");
        if (got !== expected) problems.push(`graph: outputs must have the types ${expected}, got ${got} (${where})`);
      } catch (error) {
        problems.push(`${(error as Error).message} (${where})`);
      }
    }
    for (const output of operation.outputs) define(output, where);
  }
  const circle = findCircle(graph.operations);
  if (circle.length > 0) {
    problems.push(
      `graph: operations must not need each other's results in a circle, got ${[...circle, circle[0]].map(nameOf).join(" → ")}; carry a value to the next step as a state instead`,
    );
  }
  for (const { name, value, updates } of graph.outputs) {
    use(value, `output "${name}"`);
    if (updates === null) continue;
    if (!graph.inputs.some((input) => input.value.id === updates.id)) {
      problems.push(`graph: only inputs can be updated, got %${updates.id} (output "${name}")`);
    } else if (!sameType(updates.type, value.type)) {
      problems.push(
        `graph: an update must keep the type, got ${formatType(value.type)} for ${formatType(updates.type)} (output "${name}")`,
      );
    }
  }
  return problems;
}

function nameOf({ operator, layer }: Operation): string {
  return layer === "" ? operator : `${operator} in layer ${layer}`;
}

/**
 * Operations of which each needs the result of the one before, and the first that of the last; empty if there are none.
 * Whatever is left when all has been taken away that needs nothing which is left (Kahn 1962) is in a circle or behind one.
 */
function findCircle(operations: readonly Operation[]): readonly Operation[] {
  const makers = new Map(
    operations.flatMap((operation) => operation.outputs.map(({ id }) => [id, operation] as const)),
  );
  const needs = new Map<Operation, Set<Operation>>();
  const users = new Map<Operation, Operation[]>();
  for (const operation of operations) {
    const made = new Set(operation.inputs.flatMap(({ id }) => makers.get(id) ?? []));
    needs.set(operation, made);
    for (const maker of made) users.set(maker, [...(users.get(maker) ?? []), operation]);
  }
  const free = operations.filter((operation) => needs.get(operation)?.size === 0);
  for (const operation of free) {
    needs.delete(operation);
    for (const user of users.get(operation) ?? []) {
      const left = needs.get(user);
      if (left?.delete(operation) && left.size === 0) free.push(user);
    }
  }
  // Going back from what is left, along what is left, must come round.
  const path: Operation[] = [];
  let current = [...needs.keys()].at(0);
  while (current !== undefined && !path.includes(current)) {
    path.push(current);
    current = [...(needs.get(current) ?? [])].at(0);
  }
  return current === undefined ? [] : path.slice(path.indexOf(current)).reverse();
}

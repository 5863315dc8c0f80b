import type { Value } from "../../../ir/index.ts";
import type { NodeContext } from "../node-context.ts";
import { type Operand, valueOperand } from "../operand.ts";

/** What an operator of ONNX is made of here: from a node and its inputs to its outputs. */
export type Rule = (node: NodeContext) => readonly Operand[];

/** A rule with one output, a value of the graph. */
export function givesValue(make: (node: NodeContext) => Value): Rule {
  return (node) => [valueOperand(make(node))];
}

/** The axes 0 … rank − 1. */
export function axesOf(rank: number): readonly number[] {
  return Array.from({ length: rank }, (_, axis) => axis);
}

/** No node becomes more operations or values than this, so that a few bytes of a file cannot ask for billions. */
export const mostPieces = 2 ** 16;

/** No constant that follows from extents needs more elements than this; a hostile file may ask for any number. */
export const mostElements = 2 ** 24;

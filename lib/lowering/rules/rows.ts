import * as codelets from "../../codelets/index.ts";
import { BlockLayout, type BlockVariable, type Codelet } from "../../graph/index.ts";
import type { Operation, Value } from "../../ir/index.ts";
import { spreadOverTiles } from "../columns.ts";
import { rowLayout } from "../layouts.ts";
import type { Lowering } from "../lowering.ts";

/** How the fields of a codelet that takes a row a vertex are connected, operand by operand. */
interface RowRule {
  readonly codelet: (type: codelets.FloatType) => Codelet;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A block for each row: a row itself where the tensor has the row's axis, one element where it has not. */
function layoutOfRows({ type: { shape } }: Value, rank: number): BlockLayout {
  return shape.length === rank
    ? rowLayout(shape)
    : new BlockLayout(
        shape,
        shape.map(() => 1),
      );
}

/** A rule for operators that work along the last axis: one vertex a row. */
function rowRule(
  rule: RowRule,
  rankOf: (operation: Operation) => number,
): (lowering: Lowering, operation: Operation) => void {
  return (lowering, operation) => {
    const { inputs, outputs } = operation;
    const rank = rankOf(operation);
    const placed = inputs.map((value) => lowering.getIn(value, layoutOfRows(value, rank)).variable);
    const results: BlockVariable[] = outputs.map((value) => lowering.addResult(value, layoutOfRows(value, rank)));
    const count = results[0].layout.count;
    const rows = (variable: BlockVariable) => ({
      variable,
      blocks: Uint32Array.from({ length: count }, (_, row) => variable.firstBlock + row),
    });
    const type = lowering.precision === "half" ? "half" : "float";
    lowering.addFamily("", {
      codelet: codelets.sharedCodelet(`${operation.operator} ${type}`, () => rule.codelet(type)),
      count,
      inputs: Object.fromEntries(rule.inputs.map((field, index) => [field, rows(placed[index])])),
      outputs: Object.fromEntries(rule.outputs.map((field, index) => [field, { variable: results[index] }])),
      tiles: spreadOverTiles(count, lowering.target.tileCount),
    });
  };
}

const rankOfInput = ({ inputs: [x] }: Operation): number => x.type.shape.length;
const rankOfOutput = ({ outputs: [y] }: Operation): number => y.type.shape.length;
const rankOfSecond = ({ inputs: [, x] }: Operation): number => x.type.shape.length;

export const softmaxRule = rowRule({ codelet: codelets.softmax, inputs: ["in"], outputs: ["out"] }, rankOfInput);
export const logSoftmaxRule = rowRule({ codelet: codelets.logSoftmax, inputs: ["in"], outputs: ["out"] }, rankOfInput);
export const softmaxGradientRule = rowRule(
  { codelet: codelets.softmaxGradient, inputs: ["delta", "probabilities"], outputs: ["out"] },
  rankOfInput,
);
export const crossEntropyRule = rowRule(
  { codelet: codelets.crossEntropy, inputs: ["logits", "label"], outputs: ["loss", "probabilities"] },
  rankOfInput,
);
export const crossEntropyGradientRule = rowRule(
  { codelet: codelets.crossEntropyGradient, inputs: ["delta", "probabilities", "label"], outputs: ["out"] },
  rankOfSecond,
);
export const argmaxRule = rowRule({ codelet: codelets.argmax, inputs: ["in"], outputs: ["out"] }, rankOfInput);
export const oneHotRule = rowRule({ codelet: codelets.oneHot, inputs: ["label"], outputs: ["out"] }, rankOfOutput);

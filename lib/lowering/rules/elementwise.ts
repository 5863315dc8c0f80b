import {
  alongAxis,
  copyBlock,
  type ElementwiseOperation,
  elementwise,
  elementwiseNumbers,
  type FloatType,
  sharedCodelet,
  spread,
} from "../../codelets/index.ts";
import { BlockLayout } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import { elementCount } from "../../tensor/index.ts";
import { castPlaced } from "../casting.ts";
import type { Lowering } from "../lowering.ts";
import { broadcastElements } from "./movement.ts";

/** Blocks of the result from the same blocks of the operands, where the first of them lies. */
export function elementwiseRule(lowering: Lowering, operation: Operation): void {
  applyElementwise(lowering, operation, operation.operator as ElementwiseOperation);
}

/** Rounding to a shorter float is a function for each of them. */
export function roundToRule(lowering: Lowering, operation: Operation): void {
  applyElementwise(
    lowering,
    operation,
    operation.attributes.format === "float16" ? "roundToFloat16" : "roundToBfloat16",
  );
}

function applyElementwise(lowering: Lowering, operation: Operation, name: ElementwiseOperation): void {
  const { inputs, outputs, attributes } = operation;
  const [y] = outputs;
  const scalarAt =
    inputs.length < 2 || y.type.shape.length === 0 ? -1 : inputs.findIndex(({ type }) => type.shape.length === 0);
  const full = inputs.filter((_, index) => index !== scalarAt);
  const { layout, variable } = lowering.get(full[0]);
  const type = variable.type as FloatType;
  const placed = full.map((value) => lowering.getIn(value, layout));
  const scalar = scalarAt < 0 ? "none" : scalarAt === 0 ? "left" : "right";
  const fields = scalar === "left" ? ["right"] : ["left", "right"];
  lowering.addBlockWork({
    step: "",
    codelet: sharedCodelet(`elementwise ${name} ${type} ${scalar}`, () => elementwise(name, type, scalar)),
    out: "out",
    operands: Object.fromEntries(placed.map((one, index) => [fields[index], { variable: one.variable }])),
    ...(scalarAt < 0
      ? {}
      : { scalars: { [scalar]: castPlaced(lowering, lowering.get(inputs[scalarAt]), "float").variable } }),
    states: elementwiseNumbers(name, attributes),
    result: lowering.addResult(y, layout, full),
    tiles: variable.tiles,
    list: true,
  });
}

const alongOperations = { addBias: "add", scaleAlong: "multiply" } as const;

/** A copy, or a move, as tiles have one memory: of numbers element by element, of anything else block by block, as no element-wise codelet knows it. */
export function copyRule(lowering: Lowering, operation: Operation): void {
  const [x] = operation.inputs;
  const [y] = operation.outputs;
  if (y.type.dtype === "float32") {
    applyElementwise(lowering, operation, "copy");
    return;
  }
  const { variable, layout } = lowering.get(x);
  lowering.addBlockWork({
    step: "",
    codelet: sharedCodelet(`copy ${variable.type}`, () => copyBlock(variable.type)),
    out: "out",
    operands: { in: { variable } },
    result: lowering.addResult(y, layout, [x]),
    tiles: variable.tiles,
    list: false,
  });
}

/** Elements in another type, where they lie. */
export function castRule(lowering: Lowering, { inputs: [x], outputs: [y] }: Operation): void {
  const placed = lowering.get(x);
  castPlaced(lowering, placed, lowering.typeOf(y), lowering.addResult(y, placed.layout));
}

/** A vector along one axis, added to each block where it lies, or multiplied with it. */
export function alongAxisRule(lowering: Lowering, operation: Operation): void {
  const { inputs, outputs, attributes, operator } = operation;
  const [x, b] = inputs;
  const [y] = outputs;
  const axis = attributes.axis as number;
  const { layout, variable } = lowering.get(x);
  const meaning = alongOperations[operator as keyof typeof alongOperations];
  const type = variable.type as FloatType;
  const along = lowering.getIn(b, new BlockLayout(b.type.shape, [layout.block[axis]]));
  const innerAxes = layout.shape.map((_, other) => other).filter((other) => other > axis);
  const uniform = innerAxes.every((other) => layout.shape[other] % layout.block[other] === 0);
  const inner = (block: number): number =>
    innerAxes.reduce((product, other) => {
      const [start, end] = layout.intervalOf(block, other);
      return product * (end - start);
    }, 1);
  lowering.addBlockWork({
    step: "",
    codelet: sharedCodelet(`along ${meaning} ${type}`, () => alongAxis(meaning, type)),
    out: "out",
    operands: {
      in: { variable },
      along: { variable: along.variable, block: (block) => layout.placeOf(block, axis) },
    },
    states: {
      inner: uniform ? inner(0) : { every: 1, values: Float64Array.from({ length: layout.count }, (_, b) => inner(b)) },
    },
    result: lowering.addResult(y, layout, [x]),
    tiles: variable.tiles,
    list: true,
  });
}

/**
 * A tensor repeated along new axes. Where the axes that it had lie next to each other in a block of the result, each
 * block takes one of its blocks; else elements are moved one by one.
 */
export function broadcastRule(lowering: Lowering, operation: Operation): void {
  const { inputs, outputs, attributes } = operation;
  const [x] = inputs;
  const [y] = outputs;
  const axes = attributes.axes as readonly number[];
  const layout = lowering.layoutFor(y.type.shape);
  const long = axes.filter((axis) => layout.block[axis] > 1);
  const first = long[0] ?? axes[axes.length - 1] ?? layout.shape.length;
  const last = long.at(-1) ?? first;
  const together = layout.block.every(
    (extent, axis) => axis <= first || axis >= last || axes.includes(axis) || extent === 1,
  );
  const after = layout.block.map((extent, axis) => (axis > last && !axes.includes(axis) ? extent : 1));
  const uniform = after.every((extent, axis) => layout.shape[axis] % extent === 0);
  if (!together || !uniform || x.type.dtype !== "float32") {
    broadcastElements(lowering, operation);
    return;
  }
  const own = lowering.getIn(
    x,
    new BlockLayout(
      x.type.shape,
      axes.map((axis) => layout.block[axis]),
    ),
  );
  const types = [lowering.typeOf(y) as FloatType, own.variable.type as FloatType] as const;
  const tiles = new Uint16Array(layout.count);
  for (let block = 0; block < layout.count; block++) {
    tiles[block] = Math.floor((block * lowering.target.tileCount) / layout.count);
  }
  lowering.addBlockWork({
    step: "",
    codelet: sharedCodelet(`spread ${types.join()}`, () => spread(...types)),
    out: "out",
    operands: {
      in: {
        variable: own.variable,
        block: (block) => own.layout.at(...axes.map((axis) => layout.placeOf(block, axis))),
      },
    },
    states: { inner: elementCount(after) },
    result: lowering.addResult(y, layout),
    tiles,
    list: true,
  });
}

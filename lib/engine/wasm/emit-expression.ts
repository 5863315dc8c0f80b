import {
  type Affine,
  type Axis,
  type BinaryFunction,
  type Buffer,
  type Combination,
  type Comparison,
  type Expression,
  printExpression,
  type UnaryFunction,
} from "../../loops/index.ts";
import type { FunctionBuilder } from "./function-builder.ts";
import type { PlainInstruction } from "./opcodes.ts";
import { bytesPerNumber, type Pointers } from "./pointers.ts";
import type { Point, Scope } from "./scope.ts";

/** Lanes of a vector of 32-bit numbers. */
export const lanesPerVector = 4;

/** What the emitter may use of the machine. */
export interface Features {
  /** Relaxed SIMD: multiply-add, rounded once on all machines that matter. */
  readonly multiplyAdd: boolean;
}

/** What all expressions of a nest are emitted with. */
export interface ExpressionContext {
  readonly code: FunctionBuilder;
  readonly features: Features;
  readonly pointers: Pointers;
  /** Byte address of a buffer. */
  addressOf(buffer: Buffer): number;
  /** Local with the value of an axis at the beginning of the tile; null where the tile begins at 0. */
  counterOf(axis: Axis): number | null;
}

/** The axis whose values are lanes just now, and how many of the lanes of each point count. */
export interface Lanes {
  readonly axis: Axis | null;
  /** 1 to 4: fewer than 4 only at the end of an axis. */
  valid(point: Point): number;
}

const unaryInstructions: Readonly<Record<UnaryFunction, readonly PlainInstruction[]>> = {
  negate: ["f32x4.neg"],
  absolute: ["f32x4.abs"],
  squareRoot: ["f32x4.sqrt"],
  nearest: ["f32x4.nearest"],
  toInt: ["i32x4.trunc_sat_f32x4_s"],
  toFloat: ["f32x4.convert_i32x4_s"],
  bitsToInt: [],
  bitsToFloat: [],
};

const floatInstructions: Partial<Record<BinaryFunction, PlainInstruction>> = {
  add: "f32x4.add",
  subtract: "f32x4.sub",
  multiply: "f32x4.mul",
  divide: "f32x4.div",
  maximum: "f32x4.max",
  minimum: "f32x4.min",
  larger: "f32x4.pmax",
  smaller: "f32x4.pmin",
};

const intInstructions: Partial<Record<BinaryFunction, PlainInstruction>> = {
  add: "i32x4.add",
  subtract: "i32x4.sub",
  multiply: "i32x4.mul",
  maximum: "i32x4.max_s",
  minimum: "i32x4.min_s",
  larger: "i32x4.max_s",
  smaller: "i32x4.min_s",
  and: "v128.and",
  or: "v128.or",
  exclusiveOr: "v128.xor",
};

const maskInstructions: Partial<Record<BinaryFunction, PlainInstruction>> = { and: "v128.and", or: "v128.or" };

const instructionsByType = { float: floatInstructions, int: intInstructions, mask: maskInstructions } as const;

const comparisons: Readonly<Record<"float" | "int", Partial<Record<Comparison, PlainInstruction>>>> = {
  float: { equal: "f32x4.eq", notEqual: "f32x4.ne", less: "f32x4.lt", lessOrEqual: "f32x4.le" },
  int: { equal: "i32x4.eq", less: "i32x4.lt_s", lessOrEqual: "i32x4.le_s" },
};

const combinations: Readonly<Record<Combination, BinaryFunction>> = {
  sum: "add",
  maximum: "maximum",
  larger: "larger",
  smaller: "smaller",
};

const word = new DataView(new ArrayBuffer(4));

/** The 32 bits of a number of a type. */
function bitsOf(type: "float" | "int", value: number): number {
  if (type === "int") return value | 0;
  word.setFloat32(0, value);
  return word.getInt32(0);
}

/** Pushes the same number in all lanes. */
export function pushConstant(code: FunctionBuilder, type: "float" | "int", value: number): void {
  const bits = bitsOf(type, value);
  code.lanes([bits, bits, bits, bits]);
}

/** Puts the two vectors on the stack together as a reduction does. */
export function pushCombination(code: FunctionBuilder, type: "float" | "int", combine: Combination): void {
  code.op(instructionFor(combinations[combine], type));
}

function instructionFor(name: BinaryFunction, type: "float" | "int" | "mask"): PlainInstruction {
  const instruction = instructionsByType[type][name];
  if (instruction === undefined) throw new Error(`internal: there is no ${name} of type ${type} in WebAssembly`);
  return instruction;
}

/** Emits an expression at a point: four lanes on the stack. Reductions below it must have been emitted already. */
export function emitExpression(
  context: ExpressionContext,
  scope: Scope,
  lanes: Lanes,
  expression: Expression,
  point: Point,
): void {
  const { code } = context;
  if (expression.kind === "constant") {
    pushConstant(code, expression.type, expression.value);
    return;
  }
  const known = scope.find(expression, point);
  if (known !== undefined) {
    code.get(known);
  } else {
    emitNode(context, scope, lanes, expression, point);
    if (scope.isShared(expression, point)) {
      const local = code.local("v128");
      code.tee(local);
      scope.keep(expression, point, local);
    }
  }
  scope.use(expression, point);
}

/** Whether all bits of an expression are zero: a negative zero has one. */
function isZero(expression: Expression): boolean {
  return expression.kind === "constant" && Object.is(expression.value, 0);
}

function emitNode(
  context: ExpressionContext,
  scope: Scope,
  lanes: Lanes,
  expression: Exclude<Expression, { kind: "constant" }>,
  point: Point,
): void {
  const { code, features } = context;
  const push = (operand: Expression): void => emitExpression(context, scope, lanes, operand, point);
  switch (expression.kind) {
    case "load":
      emitLoad(context, lanes, expression.buffer, expression.index, point);
      return;
    case "index":
      emitIndex(context, lanes, expression.index, point);
      return;
    case "unary":
      push(expression.operand);
      code.op(...unaryInstructions[expression.name]);
      return;
    case "binary":
      if (expression.name === "shiftLeft" || expression.name === "shiftRight") {
        if (expression.right.kind !== "constant") throw new Error("internal: lanes are shifted by constants only");
        push(expression.left);
        code.i32(expression.right.value);
        code.op(expression.name === "shiftLeft" ? "i32x4.shl" : "i32x4.shr_s");
        return;
      }
      push(expression.left);
      push(expression.right);
      code.op(instructionFor(expression.name, expression.type));
      return;
    case "multiplyAdd":
      push(expression.left);
      push(expression.right);
      if (!features.multiplyAdd) code.op("f32x4.mul");
      push(expression.addend);
      code.op(features.multiplyAdd ? "f32x4.relaxed_madd" : "f32x4.add");
      return;
    case "compare": {
      const instruction = comparisons[expression.left.type === "int" ? "int" : "float"][expression.name];
      if (instruction === undefined) throw new Error(`internal: ${printExpression(expression)} cannot be compared`);
      push(expression.left);
      push(expression.right);
      code.op(instruction);
      return;
    }
    case "select":
      // Zero has no bits to choose from.
      if (isZero(expression.whenFalse)) {
        push(expression.whenTrue);
        push(expression.condition);
        code.op("v128.and");
      } else if (isZero(expression.whenTrue)) {
        push(expression.whenFalse);
        push(expression.condition);
        code.op("v128.andnot");
      } else {
        push(expression.whenTrue);
        push(expression.whenFalse);
        push(expression.condition);
        code.op("v128.bitselect");
      }
      return;
    case "reduce":
      throw new Error(`internal: a reduction must be emitted before its use, got ${printExpression(expression)}`);
  }
}

/** The constant part of an access: the buffer, the index's constant, and the point's place in its tiles. */
function immediateOffset(context: ExpressionContext, buffer: Buffer, index: Affine, point: Point): number {
  let elements = index.constant;
  for (const { axis, inner } of index.terms) elements += inner * (point.get(axis) ?? 0);
  return context.addressOf(buffer) + bytesPerNumber * elements;
}

function laneStride(lanes: Lanes, index: Affine): number {
  return index.terms.find((term) => term.axis === lanes.axis)?.inner ?? 0;
}

function emitLoad(context: ExpressionContext, lanes: Lanes, buffer: Buffer, index: Affine, point: Point): void {
  const { code, pointers } = context;
  const offset = immediateOffset(context, buffer, index, point);
  const stride = laneStride(lanes, index);
  const valid = lanes.valid(point);
  if (stride === 0) {
    pointers.push(index);
    code.access("v128.load32_splat", offset);
    return;
  }
  if (stride === 1 && valid === lanesPerVector) {
    pointers.push(index);
    code.access("v128.load", offset);
    return;
  }
  if (stride === 2 && valid === lanesPerVector) {
    // Elements 0 to 3 and 3 to 6, of which every other one is taken: nothing past the last is read.
    pointers.push(index);
    code.access("v128.load", offset);
    pointers.push(index);
    code.access("v128.load", offset + 3 * bytesPerNumber);
    code.shuffle([0, 2, 5, 7]);
    return;
  }
  // Lane by lane, since memory past the last valid lane belongs to somebody else, or may not exist.
  const pairwise = stride === 1 && valid >= 2;
  const first = pairwise ? 2 : 1;
  for (let lane = first; lane < valid; lane++) pointers.push(index);
  pointers.push(index);
  code.access(pairwise ? "v128.load64_zero" : "v128.load32_zero", offset);
  for (let lane = first; lane < valid; lane++) {
    code.accessLane("v128.load32_lane", offset + lane * stride * bytesPerNumber, lane);
  }
}

function emitIndex(context: ExpressionContext, lanes: Lanes, index: Affine, point: Point): void {
  const { code } = context;
  const stride = laneStride(lanes, index);
  let fixed = index.constant;
  let moving = false;
  for (const term of index.terms) {
    fixed += term.inner * (point.get(term.axis) ?? 0);
    const counter = context.counterOf(term.axis);
    if (counter === null) continue;
    code.get(counter).i32(term.stride).op("i32.mul");
    if (moving) code.op("i32.add");
    moving = true;
  }
  const steps = [fixed, fixed + stride, fixed + 2 * stride, fixed + 3 * stride];
  if (moving) {
    code.op("i32x4.splat").lanes(steps).op("i32x4.add");
  } else {
    code.lanes(steps);
  }
}

/** Writes the vector in a local to where an index points. */
export function emitStore(
  context: ExpressionContext,
  lanes: Lanes,
  buffer: Buffer,
  index: Affine,
  point: Point,
  local: number,
): void {
  const { code, pointers } = context;
  const offset = immediateOffset(context, buffer, index, point);
  const stride = laneStride(lanes, index);
  const valid = stride === 0 ? 1 : lanes.valid(point);
  if (stride === 1 && valid === lanesPerVector) {
    pointers.push(index);
    code.get(local).access("v128.store", offset);
    return;
  }
  const pairwise = stride === 1 && valid >= 2;
  if (pairwise) {
    pointers.push(index);
    code.get(local).accessLane("v128.store64_lane", offset, 0);
  }
  for (let lane = pairwise ? 2 : 0; lane < valid; lane++) {
    pointers.push(index);
    code.get(local).accessLane("v128.store32_lane", offset + lane * stride * bytesPerNumber, lane);
  }
}

/** Writes two vectors, lane by lane in turn, to where an index points. */
export function emitPairedStore(
  context: ExpressionContext,
  buffer: Buffer,
  index: Affine,
  point: Point,
  [even, odd]: readonly [number, number],
): void {
  const { code, pointers } = context;
  const offset = immediateOffset(context, buffer, index, point);
  for (const [half, order] of [
    [0, 4, 1, 5],
    [2, 6, 3, 7],
  ].entries()) {
    pointers.push(index);
    code.get(even).get(odd).shuffle(order);
    code.access("v128.store", offset + half * lanesPerVector * bytesPerNumber);
  }
}

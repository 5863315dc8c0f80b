import type { GraphBuilder, Value } from "../../ir/index.ts";
import type { Layer, Mode } from "../../nn/index.ts";
import { elementCount, type FloatDtype, formatShape, type Shape } from "../../tensor/index.ts";
import { type Constant, readConstant } from "./constant.ts";
import type { Network, NetworkNode } from "./network.ts";
import { constantOperand, type Operand, shapeOf } from "./operand.ts";

/** Where weights of the file become parameters and states of a model. */
export interface WeightStore {
  /** A trainable tensor. */
  parameter(initializer: string, constant: Constant, node: NetworkNode): Value;
  /** A tensor that is kept and not trained; whole numbers become int32. */
  state(initializer: string, constant: Constant, node: NetworkNode): Value;
  update(state: Value, next: Value): void;
  /** Adds a layer of the library, whose parameters and states are taken from the node's inputs by `take`. */
  layer(layer: Layer, input: Value, node: NetworkNode, take: (name: string) => Value): Value;
}

/** What a node's rule works with. */
export class NodeContext {
  readonly node: NetworkNode;
  readonly builder: GraphBuilder;
  readonly mode: Mode;
  readonly dtype: FloatDtype;
  /** Extent of the batch axis, and what the file declares for it if it declares a number. */
  readonly batch: { readonly actual: number; readonly declared: number | null };
  readonly #network: Network;
  readonly #inputs: readonly (Operand | null)[];
  readonly #weights: WeightStore;

  constructor(
    node: NetworkNode,
    inputs: readonly (Operand | null)[],
    parts: {
      readonly builder: GraphBuilder;
      readonly mode: Mode;
      readonly dtype: FloatDtype;
      readonly batch: NodeContext["batch"];
      readonly network: Network;
      readonly weights: WeightStore;
    },
  ) {
    this.node = node;
    this.builder = parts.builder;
    this.mode = parts.mode;
    this.dtype = parts.dtype;
    this.batch = parts.batch;
    this.#network = parts.network;
    this.#weights = parts.weights;
    this.#inputs = inputs;
  }

  /** Refuses a node; what the rule says is completed with file and node. */
  fail(rule: string, got: string, remedy = "export the model otherwise"): never {
    throw new Error(`${rule}, got ${got}; ${remedy}`);
  }

  get inputCount(): number {
    return this.#inputs.length;
  }

  has(index: number): boolean {
    return (this.#inputs[index] ?? null) !== null;
  }

  /** Whether another node, or who asks for the network, takes an output. */
  wanted(output: number): boolean {
    const name = this.node.outputs[output] ?? "";
    return name !== "" && this.#network.used.has(name);
  }

  operand(index: number): Operand {
    return this.#inputs[index] ?? this.fail(`input ${index} must be given`, "none");
  }

  shape(index: number): Shape {
    return shapeOf(this.operand(index));
  }

  /** An input whose elements must be known while the graph is built. */
  constant(index: number): Constant {
    const operand = this.operand(index);
    if (operand.kind === "constant") return operand.constant;
    return this.fail(
      `input ${index} ("${this.node.inputs[index]}") must be known before data is`,
      "a tensor that depends on data",
      "export with fixed shapes, or simplify the file with onnxsim",
    );
  }

  /** The whole numbers of a constant input, or what stands for an input left out. */
  wholes<T>(index: number, otherwise: T): readonly number[] | T {
    return this.has(index) ? Array.from(this.constant(index).data) : otherwise;
  }

  /** A constant input of one element, or what stands for an input left out. */
  scalar(index: number, otherwise: number): number {
    if (!this.has(index)) return otherwise;
    const { data, shape } = this.constant(index);
    return data.length === 1 ? data[0] : this.fail(`input ${index} must be one number`, formatShape(shape));
  }

  /** An input as a value of the graph: weights become parameters, other constants numbers in the graph or states. */
  value(index: number): Value {
    return this.asValue(this.operand(index), index);
  }

  asValue(operand: Operand, index = 0): Value {
    if (operand.kind === "value") return operand.value;
    const { constant, initializer } = operand;
    const name = initializer ?? `${this.node.outputs[0]}.constant${index}`;
    if (!constant.real) return this.#weights.state(name, constant, this.node);
    // Weights are not looked at: they may not have been drawn yet.
    const uniform = (): boolean =>
      initializer === null &&
      constant.data.length > 0 &&
      constant.data.every((element) => element === constant.data[0]);
    if (constant.shape.length === 0 || uniform()) {
      return this.builder.apply("full", [], { shape: constant.shape, dtype: this.dtype, value: constant.data[0] });
    }
    return initializer === null
      ? this.#weights.state(name, constant, this.node)
      : this.#weights.parameter(name, constant, this.node);
  }

  /** An input as a tensor that is kept and not trained. */
  state(index: number): Value {
    const operand = this.operand(index);
    if (operand.kind === "value") return operand.value;
    return this.#weights.state(
      operand.initializer ?? `${this.node.outputs[0]}.constant${index}`,
      operand.constant,
      this.node,
    );
  }

  layer(layer: Layer, input: Value, take: (name: string) => Value): Value {
    return this.#weights.layer(layer, input, this.node, take);
  }

  apply(operator: string, inputs: readonly Value[], attributes: Readonly<Record<string, never>> | object = {}): Value {
    return this.builder.apply(operator, inputs, attributes as never);
  }

  number(value: number, shape: Shape = []): Value {
    return this.apply("full", [], { shape, dtype: this.dtype, value });
  }

  whole(name: string, otherwise: number): number {
    return this.node.attributes.get(name)?.whole ?? otherwise;
  }

  wholeList<T>(name: string, otherwise: T): readonly number[] | T {
    return this.node.attributes.get(name)?.wholes ?? otherwise;
  }

  float(name: string, otherwise: number): number {
    return this.node.attributes.get(name)?.float ?? otherwise;
  }

  text(name: string, otherwise: string): string {
    const bytes = this.node.attributes.get(name)?.text;
    return bytes === undefined ? otherwise : new TextDecoder().decode(bytes);
  }

  texts(name: string): readonly string[] {
    return (this.node.attributes.get(name)?.texts ?? []).map((bytes) => new TextDecoder().decode(bytes));
  }

  tensor(name: string): Constant | undefined {
    const tensor = this.node.attributes.get(name)?.tensor;
    return (
      tensor && readConstant(tensor, this.#network.file, () => this.fail("a node's tensor must be in it", "a file"))
    );
  }

  /** An axis counted from 0, for one that may be counted from the end. */
  axis(axis: number, rank: number): number {
    const counted = axis < 0 ? axis + rank : axis;
    if (Number.isInteger(counted) && counted >= 0 && counted < rank) return counted;
    return this.fail(`axis must be from ${-rank} to ${rank - 1}`, String(axis));
  }

  axes(axes: readonly number[], rank: number): readonly number[] {
    return axes.map((axis) => this.axis(axis, rank));
  }

  reshape(value: Value, shape: Shape): Value {
    if (formatShape(value.type.shape) === formatShape(shape)) return value;
    if (elementCount(shape) !== elementCount(value.type.shape)) {
      this.fail(
        "reshaping must keep the number of elements",
        `${formatShape(value.type.shape)} to ${formatShape(shape)}`,
      );
    }
    return this.apply("reshape", [value], { shape });
  }

  transpose(value: Value, permutation: readonly number[]): Value {
    if (permutation.every((axis, index) => axis === index)) return value;
    return this.apply("transpose", [value], { permutation });
  }

  /** The value repeated to a shape, as ONNX and numpy align shapes: from the last axis, extents of 1 repeated. */
  expand(value: Value, shape: Shape): Value {
    const from = value.type.shape;
    if (formatShape(from) === formatShape(shape)) return value;
    const offset = shape.length - from.length;
    const kept = from.map((_, axis) => axis).filter((axis) => from[axis] === shape[axis + offset]);
    const fits = offset >= 0 && from.every((extent, axis) => extent === 1 || extent === shape[axis + offset]);
    if (!fits) this.fail("shapes must be alike or 1", `${formatShape(from)} for ${formatShape(shape)}`);
    const squeezed = this.reshape(
      value,
      kept.map((axis) => from[axis]),
    );
    return this.apply("broadcast", [squeezed], { shape, axes: kept.map((axis) => axis + offset) });
  }

  /** The outputs of a rule that gives one tensor known already. */
  known(constant: Constant): readonly Operand[] {
    return [constantOperand(constant)];
  }
}

/** The shape to which shapes are repeated together; null if they do not fit. */
export function broadcastShape(shapes: readonly Shape[]): Shape | null {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((extent) => extent !== 1);
    if (extents.some((extent) => extent !== extents[0])) return null;
    result.push(extents[0] ?? 1);
  }
  return result;
}

import { elementCount, type HostTensor, type NestedNumbers, type Shape } from "../tensor/index.ts";
import { type ElementType, elementBytes } from "./element-type.ts";
import { TileMapping } from "./tile-mapping.ts";

/** Numbers for the elements of a tensor, in row-major order however they are given. */
export type Values = number | NestedNumbers | ArrayLike<number> | HostTensor;

/** Memory that a program's tensors lie in. A constant is a variable that nothing may write. */
export interface Variable {
  readonly id: number;
  readonly name: string;
  readonly type: ElementType;
  readonly shape: Shape;
  readonly elements: number;
  readonly bytes: number;
  readonly constant: boolean;
  readonly mapping: TileMapping;
}

/** The variables of one graph; tensors of two graphs are told apart by it. */
export class VariableTable {
  readonly #variables: Variable[] = [];

  get all(): readonly Variable[] {
    return this.#variables;
  }

  add(type: ElementType, shape: Shape, name: string, constant: boolean): Variable {
    const elements = elementCount(shape);
    const id = this.#variables.length;
    const variable = {
      id,
      name: name === "" ? `variable ${id}` : name,
      type,
      shape: [...shape],
      elements,
      bytes: elements * elementBytes[type],
      constant,
      mapping: new TileMapping(),
    };
    this.#variables.push(variable);
    return variable;
  }
}

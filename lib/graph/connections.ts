import type { Codelet, Direction, EdgeField, Field, StateField } from "./codelet.ts";
import { checkWritable } from "./program.ts";
import { TensorView } from "./tensor-view.ts";
import type { VariableTable } from "./variables.ts";

/** What a field is connected to: a tensor, a list of tensors, or a number if it is state. */
export type Connection<F extends Field> = F extends StateField
  ? number
  : F extends EdgeField<Direction, "vectors">
    ? readonly TensorView[]
    : TensorView;

export type AnyConnection = number | TensorView | readonly TensorView[];

/** @throws Error if what a field is to be connected to does not fit it */
export function checkConnection(
  variables: VariableTable,
  called: string,
  field: Field | undefined,
  name: string,
  codelet: Codelet,
  value: unknown,
): void {
  if (field === undefined) {
    const known = Object.keys(codelet.fields).join(", ");
    throw new Error(`${called}: a field must be one of ${known}, got "${name}"; correct the name`);
  }
  if (field.kind === "state") {
    if (typeof value !== "number") throw stateExpected(called, name, "a tensor");
    return;
  }
  if (field.extent === "vectors") {
    if (!Array.isArray(value)) throw listExpected(called, name, value);
    for (const vector of value) checkTensor(variables, called, field, name, vector);
  } else checkTensor(variables, called, field, name, value);
}

function checkTensor(variables: VariableTable, called: string, field: EdgeField, name: string, value: unknown): void {
  if (!(value instanceof TensorView)) throw tensorExpected(called, name, String(value));
  checkOwn(variables, called, value);
  if (value.type !== field.type) {
    throw new Error(
      `${called}: field "${name}" must be connected to ${field.type}, got ${value.describe()}; cast the tensor or change the codelet's field`,
    );
  }
  if (field.extent === "scalar" && value.elements !== 1) {
    throw new Error(
      `${called}: field "${name}" must be connected to one element, got ${value.describe()}; index the tensor or make the field a vector`,
    );
  }
  if (field.direction !== "input") checkWritable(`${called}, field "${name}"`, value);
}

/** @throws Error if a tensor is of another graph */
export function checkOwn(variables: VariableTable, subject: string, tensor: TensorView): void {
  if (tensor.variables !== variables) {
    throw new Error(
      `${subject}: a tensor must be of this graph, got ${tensor.describe()} of another; add the variable here`,
    );
  }
}

export function stateExpected(called: string, name: string, got: string): Error {
  return new Error(
    `${called}: field "${name}" is state and must be given a number, got ${got}; give the number itself`,
  );
}

export function listExpected(called: string, name: string, got: unknown): Error {
  const shown = got instanceof TensorView ? got.describe() : String(got);
  return new Error(
    `${called}: field "${name}" must be connected to a list of tensors, got ${shown}; give an array, to addVertex or connect`,
  );
}

export function tensorExpected(called: string, name: string, got: string): Error {
  return new Error(`${called}: field "${name}" must be connected to a tensor, got ${got}; add a constant for a number`);
}

import type { Model, Optimizer } from "../nn/index.ts";
import { type DataOf, decodeHalf, formatShape, type HostTensor, isFloat } from "../tensor/index.ts";
import type { Carried } from "./executions.ts";
import { sharedName, stateName } from "./graphs.ts";

/** The weights that a seed gives, the model's states as they begin, and the optimiser's states at zero. */
export function firstWeights(model: Model, optimizer: Optimizer, seed: number): Carried {
  const values = model.initialise(seed);
  return withStates(model, optimizer, new Map(model.parameters.map(({ name }, index) => [name, values[index]])));
}

/**
 * Weights that somebody gives, the model's states as given or as they begin, and the optimiser's states at zero.
 *
 * @throws Error if a parameter is missing, or a tensor is unknown or of another shape or kind
 */
export function givenWeights(model: Model, optimizer: Optimizer, given: ReadonlyMap<string, HostTensor>): Carried {
  checkWeights("reset", model, given);
  return withStates(model, optimizer, given);
}

/**
 * Checks that tensors are the parameters of a model, and perhaps its states.
 *
 * @param subject who was given them, such as `reset` or a file
 * @throws Error naming the first that is missing, unknown, or of another shape or kind
 */
export function checkWeights(subject: string, model: Model, given: ReadonlyMap<string, HostTensor>): void {
  const own = [...model.parameters, ...model.states];
  for (const name of given.keys()) {
    if (!own.some((known) => known.name === name)) {
      throw new Error(
        `${subject}: parameters must be the model's, got "${name}" (in ${model.name}); it has ${own.map((known) => known.name).join(", ")}`,
      );
    }
  }
  const dtypes = new Map(model.states.map(({ name, dtype }) => [name, dtype]));
  for (const { name, shape } of own) {
    const value = given.get(name);
    if (value === undefined && dtypes.has(name)) continue;
    if (value === undefined || formatShape(value.shape) !== formatShape(shape)) {
      const got = value === undefined ? "none" : formatShape(value.shape);
      const remedy = dtypes.has(name) ? "give a tensor of the state's shape" : "give every parameter in its shape";
      throw new Error(`${subject}: ${name} must be ${formatShape(shape)}, got ${got} (in ${model.name}); ${remedy}`);
    }
    const whole = dtypes.get(name) === "int32";
    if (whole ? value.dtype !== "int32" : !isFloat(value.dtype)) {
      throw new Error(
        `${subject}: ${name} must be of ${whole ? "int32" : "a float dtype"}, got ${value.dtype} (in ${model.name}); convert it`,
      );
    }
  }
}

/** A copy of a tensor's numbers in an array that a program's inputs take; halves become floats. */
function numbersOf({ dtype, data }: HostTensor): DataOf {
  if (dtype !== "float16" && dtype !== "bfloat16") return data.slice();
  return Float32Array.from(data, (bits) => decodeHalf(dtype, bits));
}

function withStates(model: Model, optimizer: Optimizer, values: ReadonlyMap<string, HostTensor>): Carried {
  const carried = new Map<string, DataOf>();
  for (const { name, elements } of model.parameters) {
    carried.set(name, numbersOf(values.get(name) as HostTensor));
    for (const state of optimizer.states) carried.set(stateName(name, state), new Float32Array(elements));
  }
  const initial = model.initialStates();
  for (const [index, { name }] of model.states.entries()) {
    const data = initial[index].data;
    const given = values.get(name);
    if (given !== undefined) data.set(numbersOf(given));
    carried.set(name, data);
  }
  for (const state of optimizer.shared) carried.set(sharedName(state), new Float32Array(1));
  return carried;
}

import type { Model, Optimizer } from "../nn/index.ts";
import { type DataOf, formatShape, type HostTensor } from "../tensor/index.ts";
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
 * @throws Error if a parameter is missing, or a tensor is unknown or of another shape
 */
export function givenWeights(model: Model, optimizer: Optimizer, given: ReadonlyMap<string, HostTensor>): Carried {
  for (const name of given.keys()) {
    const known = [...model.parameters, ...model.states].map((own) => own.name);
    if (!known.includes(name)) {
      throw new Error(
        `reset: parameters must be the model's, got "${name}" (in ${model.name}); it has ${known.join(", ")}`,
      );
    }
  }
  for (const { name, shape } of model.parameters) {
    const value = given.get(name);
    if (value === undefined || formatShape(value.shape) !== formatShape(shape)) {
      const got = value === undefined ? "none" : formatShape(value.shape);
      throw new Error(
        `reset: ${name} must be ${formatShape(shape)}, got ${got} (in ${model.name}); give every parameter`,
      );
    }
  }
  for (const { name, shape } of model.states) {
    const value = given.get(name);
    if (value !== undefined && formatShape(value.shape) !== formatShape(shape)) {
      throw new Error(
        `reset: ${name} must be ${formatShape(shape)}, got ${formatShape(value.shape)} (in ${model.name}); give a tensor of the state's shape`,
      );
    }
  }
  return withStates(model, optimizer, given);
}

function withStates(model: Model, optimizer: Optimizer, values: ReadonlyMap<string, HostTensor>): Carried {
  const carried = new Map<string, DataOf>();
  for (const { name, elements } of model.parameters) {
    carried.set(name, (values.get(name) as HostTensor).data.slice());
    for (const state of optimizer.states) carried.set(stateName(name, state), new Float32Array(elements));
  }
  const initial = model.initialStates();
  for (const [index, { name }] of model.states.entries()) {
    const data = initial[index].data;
    const given = values.get(name);
    if (given !== undefined) data.set(given.data);
    carried.set(name, data);
  }
  for (const state of optimizer.shared) carried.set(sharedName(state), new Float32Array(1));
  return carried;
}

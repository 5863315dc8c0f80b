import { encodeSafetensors, parseSafetensors, readWholeFile, writeFileAtomically } from "../formats/index.ts";
import type { Model } from "../nn/index.ts";
import type { HostTensor } from "../tensor/index.ts";
import type { Program } from "./program.ts";
import { checkWeights } from "./weights.ts";

/** Parameters and states of a program as they are now, or of a model as they begin, by name. */
function weightsOf(from: Program | Model): Map<string, HostTensor> {
  if (!("kind" in from)) return new Map([...from.parameters, ...from.states]);
  const values = from.initialise();
  const states = from.initialStates();
  return new Map<string, HostTensor>([
    ...from.parameters.map(({ name }, index) => [name, values[index]] as const),
    ...from.states.map(({ name }, index) => [name, states[index]] as const),
  ]);
}

/**
 * Writes all parameters, and what else a model keeps, to a safetensors file under names such as `dense1.weight`: a
 * program's as they are now, a model's as they begin. The file is whole at any time, also if the process ends meanwhile.
 */
export async function saveWeights(from: Program | Model, file: string): Promise<void> {
  const model = "kind" in from ? from : from.model;
  await writeFileAtomically(file, encodeSafetensors(weightsOf(from), new Map([["model", model.name]])));
}

/**
 * Reads parameters and states from a safetensors file. A program continues with them, and its optimiser begins anew.
 * Halves and doubles are taken as well as floats.
 *
 * @param of whose weights they must be
 * @returns the tensors by name, ready for `program.reset`
 * @throws Error naming the file if it is missing or damaged, and the parameter if one is missing, unknown, of another shape
 */
export async function loadWeights(of: Program | Model, file: string): Promise<ReadonlyMap<string, HostTensor>> {
  const model = "kind" in of ? of : of.model;
  const { tensors } = parseSafetensors(await readWholeFile("loadWeights", file), file);
  checkWeights(file, model, tensors);
  if (!("kind" in of)) of.reset(tensors);
  return tensors;
}

import { makeSchedule } from "../compiler/index.ts";
import { GraphBuilder } from "../ir/index.ts";
import { operatorTable } from "../ops/index.ts";
import { formatShape, formatType, type HostTensor, isFloat, sameShape, zeros } from "../tensor/index.ts";
import { names } from "./graphs.ts";
import { layerOutput } from "./layer-output.ts";
import type { ProgramParts } from "./parts.ts";

/** What a layer gives for some samples; see `Program.activations`. */
export async function activations(
  { model, executions, dtype }: ProgramParts,
  inputs: HostTensor,
  layer: string,
): Promise<HostTensor<"float32">> {
  const [count, ...sample] = inputs.shape;
  if (!isFloat(inputs.dtype) || !sameShape(sample, model.input) || count === 0) {
    throw new Error(
      `activations: inputs must be floats [samples, ...${formatShape(model.input)}], got ${formatType(inputs)}; give at least one sample as the network sees it`,
    );
  }
  const execution = await executions.acquireOther(`activations of ${layer}, ${count}`, () => {
    const builder = new GraphBuilder(operatorTable, `${model.name}, ${layer}`);
    const input = builder.input(names.input, { shape: [count, ...model.input], dtype }, "data");
    model.build(builder, input, "inference");
    builder.output(names.output, layerOutput(builder, layer, "activations"));
    return makeSchedule(builder.build());
  });
  execution.input(names.input).set(inputs.data as never);
  execution.run();
  const { outputs } = execution.program.schedule.graph;
  const result = zeros(outputs[0].value.type.shape);
  result.data.set(execution.output(names.output) as Float32Array);
  return result;
}

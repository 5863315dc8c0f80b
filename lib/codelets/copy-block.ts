import { type Codelet, codelet, type ElementType, elementBytes, input, output } from "../graph/index.ts";
import { oneWorker } from "./support.ts";

/** A block as it is, at another place. Cycles of a worker: 10, and a load and a store at once for every eight bytes. */
export function copyBlock(type: ElementType): Codelet {
  return codelet(
    `CopyBlock<${type}>`,
    { in: input.vector(type), out: output.vector(type) },
    ({ in: values, out }) => {
      for (let i = 0; i < out.length; i++) out[i] = values[i];
    },
    ({ out }) => 10 + Math.ceil((out.length * elementBytes[type]) / 8),
    oneWorker,
  );
}

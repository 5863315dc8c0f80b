import type { FloatDtype, HostTensor, Random } from "../../lib/tensor/index.ts";
import { zeros } from "../../lib/tensor/index.ts";
import { integer, type SampleInput } from "./operator-samples.ts";

/** Draws the numbers of one input of a sample. */
export function drawInput(input: SampleInput, dtype: FloatDtype, random: Random): HostTensor {
  const { shape, low = 0, high = 1, classes } = input;
  const result = zeros<"int32" | FloatDtype>(shape, classes === undefined ? dtype : "int32");
  for (let i = 0; i < result.data.length; i++) {
    result.data[i] =
      classes === undefined ? low + (high - low) * random.nextUniform() : integer(random, 0, classes - 1);
  }
  return result;
}

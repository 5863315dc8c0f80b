import type { DataOf } from "../tensor/index.ts";
import type { CompiledProgram } from "./program.ts";

/**
 * What `inputBytes` means: each byte times `scale`, as float32, from element `from` on. The bytes may lie in the last
 * quarter of the numbers themselves, since each number is written after the bytes that it covers have been read.
 */
export function expandBytes(bytes: Uint8Array, scale: number, numbers: Float32Array | Float64Array, from = 0): void {
  for (let i = from; i < bytes.length; i++) numbers[i] = Math.fround(bytes[i] * scale);
}

/**
 * An input's elements, which must be floats.
 *
 * @throws Error if they are not
 */
export function floatsOf(program: CompiledProgram, name: string, data: DataOf): Float32Array | Float64Array {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new Error(
    `${program.schedule.graph.name}: bytes must be given to an input of floats, got "${name}" of whole numbers; write its elements`,
  );
}

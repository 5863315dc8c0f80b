import type { Schedule } from "../compiler/index.ts";
import type { DataOf } from "../tensor/index.ts";
import type { CompiledProgram } from "./program.ts";

/** A program in memory, ready to be run again and again. Nothing is allocated from one run to the next. */
export interface Execution {
  readonly program: CompiledProgram;
  /** The elements of an input, in the arena itself: writing to it sets the input. */
  input(name: string): DataOf;
  /**
   * Sets an input of floats from bytes, such as those of grey: each times `scale`, rounded once to float32. That is a
   * quarter of the memory to go through, and quicker than writing numbers.
   *
   * @param fill is given a place with a byte for each element, and writes all of them
   */
  inputBytes(name: string, scale: number, fill: (bytes: Uint8Array) => void): void;
  /** The elements of an output, in the arena itself: valid until the next run. */
  output(name: string): DataOf;
  /** Runs every step once. Outputs that update an input have then replaced it. */
  run(): void;
  /** Gives back memory and threads; the execution cannot be used afterwards. */
  dispose(): void;
}

/** Executes schedules on the host. */
export interface Engine {
  readonly name: string;
  /** Groups operations into steps and plans the arena. */
  compile(schedule: Schedule): CompiledProgram;
  load(program: CompiledProgram): Execution | Promise<Execution>;
}

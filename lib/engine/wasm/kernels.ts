import type { Operation } from "../../ir/index.ts";
import { type Kernel, lowerStep } from "../../loops/index.ts";
import type { Step } from "../program.ts";

/** What a kernel is made from. */
export type KernelStep = Pick<Step, "name" | "operations" | "writes" | "run">;

/** By the list of operations, which is a step's own and lives as long as its program. */
const kernels = new WeakMap<readonly Operation[], Kernel>();

/** A step's loops: made when its scratch memory is planned, and needed again when its code is written. */
export function kernelOf(step: KernelStep): Kernel {
  let kernel = kernels.get(step.operations);
  if (kernel === undefined) kernels.set(step.operations, (kernel = lowerStep(step)));
  return kernel;
}

/** Makes other loops those of a step: before its scratch memory is planned. */
export function chooseKernel(step: KernelStep, kernel: Kernel): void {
  kernels.set(step.operations, kernel);
}

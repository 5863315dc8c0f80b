import type { Loss, Model, Optimizer } from "../nn/index.ts";
import type { FloatDtype } from "../tensor/index.ts";
import type { Executions } from "./executions.ts";
import type { LossScaling } from "./loss-scaling.ts";

/** What a program consists of; put together by `compile`. */
export interface ProgramParts {
  readonly model: Model;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly batch: number;
  readonly dtype: FloatDtype;
  readonly executions: Executions;
  /** Null where the loss is not scaled. */
  readonly lossScaling: Required<LossScaling> | null;
}

import type { Dataset } from "../formats/index.ts";
import type { CheckpointOptions } from "./checkpoint.ts";
import type { EarlyStopping } from "./early-stopping.ts";

/** What `fit` may be told. */
export interface FitOptions {
  /** Passes over the data; 1 unless told otherwise. */
  readonly epochs?: number;
  /** Evaluated after each epoch. */
  readonly validation?: Dataset;
  /** Seed of the order of the samples; the model's unless told otherwise. */
  readonly seed?: number;
  /** Whether samples of a data set come in another order each epoch; true unless told otherwise. */
  readonly shuffle?: boolean;
  /** Of a stream: how many samples make an epoch; all that come unless told otherwise. */
  readonly samplesPerEpoch?: number;
  /** When to stop before the last epoch. */
  readonly earlyStopping?: EarlyStopping;
  /** Where to leave what is needed to go on, should the process end. */
  readonly checkpoint?: CheckpointOptions;
  /** Whether to show how far it has come; true unless told otherwise. */
  readonly progress?: boolean;
}

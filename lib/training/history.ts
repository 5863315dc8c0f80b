/** What one pass over the training data came to. */
export interface EpochRecord {
  /** 1 for the first epoch. */
  readonly epoch: number;
  /** Mean loss over the epoch's training samples, measured while the weights were changing. */
  readonly loss: number;
  readonly validationLoss?: number;
  /** Share of validation samples whose largest output is not at the label, 0 to 1. Only with class labels. */
  readonly validationError?: number;
  /** Seconds of training, validation left out. */
  readonly seconds: number;
}

/** How a training run went: plain data, ready to be drawn or compared. */
export interface TrainingHistory {
  readonly kind: "training-history";
  readonly title: string;
  readonly seed: number;
  readonly batch: number;
  readonly samplesPerEpoch: number;
  readonly epochs: readonly EpochRecord[];
  /** The mean loss of each optimiser step, in order. */
  readonly stepLosses: readonly number[];
  /** True if the run was stopped before its last epoch ended. */
  readonly interrupted: boolean;
  /** With early stopping: the epoch (from 1) in which what it looks at was best so far. */
  readonly bestEpoch?: number;
  /** With loss scaling: how many steps were undone because a gradient was too large for its numbers. */
  readonly skippedSteps?: number;
}

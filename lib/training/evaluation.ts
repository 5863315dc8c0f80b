/** How a model answers a data set: plain data. */
export interface Evaluation {
  readonly kind: "evaluation";
  readonly title: string;
  readonly dataset: string;
  readonly samples: number;
  /** Mean loss over the samples. */
  readonly loss: number;
  /** Share of samples whose largest output is not at the label, 0 to 1; only with class targets. */
  readonly error?: number;
  /** `confusion[label][answer]`: how many samples of a class were answered with which; only with class targets. */
  readonly confusion?: readonly (readonly number[])[];
}

import type { EpochRecord } from "./history.ts";

/** When to stop before the last epoch. */
export interface EarlyStopping {
  /** Training ends after this many epochs in a row without improvement. */
  readonly patience: number;
  /** What must fall; with validation its loss, otherwise the training loss, unless told otherwise. */
  readonly measure?: "loss" | "validationLoss" | "validationError";
  /** By how much it must fall below the best so far to count as an improvement; 0 unless told otherwise. */
  readonly margin?: number;
  /** Whether training ends with the weights of the best epoch; true unless told otherwise. */
  readonly restoreBest?: boolean;
}

/** How the epochs so far look to early stopping. */
export interface Patience {
  /** The best epoch, from 1. */
  readonly bestEpoch: number;
  /** Epochs since then. */
  readonly waited: number;
}

/**
 * Checks the rule.
 *
 * @param validated whether there is validation data, and whether it has classes
 * @throws Error naming what cannot be measured
 */
export function checkEarlyStopping(rule: EarlyStopping, validated: "no" | "values" | "classes"): void {
  const { patience, margin = 0 } = rule;
  const measure = measureOf(rule, validated !== "no");
  if (!Number.isInteger(patience) || patience < 1) {
    throw new Error(
      `fit: patience must be a whole number ≥ 1, got ${patience}; give { earlyStopping: { patience: 3 } }`,
    );
  }
  if (!(Number.isFinite(margin) && margin >= 0)) {
    throw new Error(`fit: the margin must be a number ≥ 0, got ${margin}; leave it out or give one such as 0.001`);
  }
  const known = ["loss", "validationLoss", "validationError"];
  const measured =
    measure === "loss" || validated === "classes" || (validated === "values" && measure !== "validationError");
  if (!known.includes(measure) || !measured) {
    throw new Error(
      `fit: early stopping must look at what is measured, got ${measure} with ${validated === "no" ? "no validation data" : `validation ${validated}`}; choose among ${known.join(", ")} or give { validation }`,
    );
  }
}

function measureOf({ measure }: EarlyStopping, validated: boolean): keyof EpochRecord {
  return measure ?? (validated ? "validationLoss" : "loss");
}

/** Looks back over the epochs so far. */
export function patienceAfter(rule: EarlyStopping, records: readonly EpochRecord[], validated: boolean): Patience {
  const measure = measureOf(rule, validated);
  let best = Number.POSITIVE_INFINITY;
  let bestEpoch = 0;
  for (const record of records) {
    const value = record[measure] as number;
    if (bestEpoch === 0 || value < best - (rule.margin ?? 0)) [best, bestEpoch] = [value, record.epoch];
  }
  return { bestEpoch, waited: records.length - bestEpoch };
}

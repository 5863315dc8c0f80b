/** How a run of a notebook ended. */
export type Outcome = "ok" | "cell-error" | "timeout" | "out-of-memory" | "kernel-died" | "interrupted";

/** What can become of a notebook file: a run's outcome, or outputs that differ from the stored ones. */
export type FileOutcome = Outcome | "outputs-differ" | "bad-input";

/** What a process that runs notebooks exits with: the gravest of what happened to any of them. */
export const exitCodes: Readonly<Record<FileOutcome, number>> = {
  ok: 0,
  "cell-error": 1,
  "bad-input": 2,
  "kernel-died": 3,
  timeout: 4,
  "out-of-memory": 5,
  "outputs-differ": 6,
  interrupted: 130,
};

/** From harmless to grave. */
const gravity: readonly FileOutcome[] = [
  "ok",
  "outputs-differ",
  "cell-error",
  "timeout",
  "out-of-memory",
  "kernel-died",
  "bad-input",
  "interrupted",
];

/** The gravest of some outcomes; `ok` where there are none. */
export function gravest(outcomes: Iterable<FileOutcome>): FileOutcome {
  let worst = 0;
  for (const outcome of outcomes) worst = Math.max(worst, gravity.indexOf(outcome));
  return gravity[worst];
}

/** One subcommand of `tessera`. */
export interface Command {
  /** How it is called, in one line. */
  readonly usage: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** Does it; resolves to the exit code: 0 for success, 1 for failure, 2 for bad input. */
  run(args: string[]): Promise<number>;
}

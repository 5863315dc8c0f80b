/** Networks of a notebook are small: who wants more threads than these says so. */
const most = 4;

/**
 * Threads that programs get which do not ask for a number of their own: as many as TESSERA_THREADS says, or else as many
 * as this machine can run at once (Node's process, or the browser's page), up to four.
 *
 * @throws Error if TESSERA_THREADS is no whole number ≥ 1
 */
export function usualThreads(): number {
  const told = globalThis.process?.env?.TESSERA_THREADS;
  if (told !== undefined && told !== "") {
    if (!/^[1-9]\d*$/.test(told)) {
      throw new Error(
        `TESSERA_THREADS: must be a whole number ≥ 1, got ${JSON.stringify(told)}; set it to 2, or do not set it`,
      );
    }
    return Number(told);
  }
  const node = globalThis.process?.getBuiltinModule?.("node:os");
  return Math.min(most, node?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1);
}

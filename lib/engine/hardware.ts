/** Threads that this machine can run at once: of Node's process, or of the browser's page. */
export function hardwareThreads(): number {
  const node = globalThis.process?.getBuiltinModule?.("node:os");
  return node?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}

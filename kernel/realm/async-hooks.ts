import asyncHooks, { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";

/**
 * Calls `used` as soon as any code follows promises and callbacks with async_hooks. From then on Node aborts the whole
 * process when JavaScript inside a callback is terminated, so the kernel must not do that any more.
 */
export function watchAsyncHooks(used: () => void): void {
  const storage = AsyncLocalStorage.prototype;
  for (const method of ["run", "enterWith"] as const) {
    const original = storage[method] as (...given: unknown[]) => unknown;
    const watched = function (this: unknown, ...given: unknown[]): unknown {
      used();
      return original.apply(this, given);
    };
    Object.defineProperty(storage, method, { value: watched, configurable: true, writable: true });
  }
  const { createHook } = asyncHooks;
  asyncHooks.createHook = (callbacks) => {
    const hook = createHook(callbacks);
    const enable = hook.enable.bind(hook);
    hook.enable = () => {
      used();
      return enable();
    };
    return hook;
  };
  syncBuiltinESMExports();
}

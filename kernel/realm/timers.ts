import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import { promisify } from "node:util";

/** Stops one timer that has not fired yet. */
type Stop = () => void;

const pending = new Set<Stop>();

type SetTimer = (callback: (...values: unknown[]) => void, ...rest: unknown[]) => object;

/** A function that sets a timer, and remembers how to stop it until it has fired. */
function followed(set: SetTimer, clear: (timer: never) => void, repeats: boolean): SetTimer {
  const wrapper: SetTimer = (callback, ...rest) => {
    if (typeof callback !== "function") return set(callback, ...rest);
    const stop = (): void => {
      pending.delete(stop);
      clear(timer as never);
    };
    const timer = set(
      (...values) => {
        if (!repeats) pending.delete(stop);
        callback(...values);
      },
      ...rest,
    );
    pending.add(stop);
    stops.set(timer, stop);
    return timer;
  };
  return wrapper;
}

const stops = new WeakMap<object, Stop>();

/** A function that clears timers, and forgets them. */
function forgetting(clear: (timer: never) => void): (timer: unknown) => void {
  return (timer) => {
    const stop = typeof timer === "object" && timer !== null ? stops.get(timer) : undefined;
    if (stop) stop();
    else clear(timer as never);
  };
}

type Wait = (...given: unknown[]) => Promise<unknown>;

/** `await setTimeout(…)` and its like: stopped, they are rejected as if their signal had been aborted. */
function followedWait(wait: Wait, optionsIndex: number): Wait {
  return async (...given) => {
    const options = (given[optionsIndex] ?? {}) as { signal?: AbortSignal };
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    const signal = options.signal ? AbortSignal.any([options.signal, controller.signal]) : controller.signal;
    const filled = [...given];
    filled[optionsIndex] = { ...options, signal };
    pending.add(stop);
    try {
      return await wait(...filled);
    } finally {
      pending.delete(stop);
    }
  };
}

/**
 * Makes every timer of the notebook one that {@link stopTimers} can stop. A cell that sleeps and works in turns could
 * otherwise not be stopped: it would come back with its next timer.
 */
export function followTimers(): void {
  const waitTimeout = followedWait(timersPromises.setTimeout as Wait, 2);
  const waitImmediate = followedWait(timersPromises.setImmediate as Wait, 1);
  const set = {
    setTimeout: followed(timers.setTimeout as unknown as SetTimer, timers.clearTimeout as never, false),
    setInterval: followed(timers.setInterval as unknown as SetTimer, timers.clearInterval as never, true),
    setImmediate: followed(timers.setImmediate as unknown as SetTimer, timers.clearImmediate as never, false),
  };
  Object.defineProperty(set.setTimeout, promisify.custom, { value: waitTimeout });
  Object.defineProperty(set.setImmediate, promisify.custom, { value: waitImmediate });
  const all = {
    ...set,
    clearTimeout: forgetting(timers.clearTimeout as never),
    clearInterval: forgetting(timers.clearInterval as never),
    clearImmediate: forgetting(timers.clearImmediate as never),
  };
  for (const [name, value] of Object.entries(all)) Object.defineProperty(value, "name", { value: name });
  Object.assign(globalThis, all);
  Object.assign(timers, all);
  Object.assign(timersPromises, { setTimeout: waitTimeout, setImmediate: waitImmediate });
  syncBuiltinESMExports();
}

/** Stops every timer that has not fired yet. */
export function stopTimers(): void {
  for (const stop of [...pending]) stop();
}

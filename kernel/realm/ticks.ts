import timers from "node:timers";

/** So many ticks without a turn of the event loop, and we ask to be told of the next turn. */
const manyTicks = 500;

/** Called by what is not followed as a timer, or an interrupt would stop it. */
const { setImmediate } = timers;

let sinceTurn = 0;

/**
 * Makes `process.nextTick` one that an interrupt can stop. A tick that asks for another one as it begins could otherwise
 * be terminated any number of times: the next one is in Node's queue by then, and the queue is emptied before the worker
 * hears anything. So while an interrupt is under way a chain of ticks that keeps the event loop from turning gets no
 * further link. Node's streams use ticks too, but never so many in a row.
 */
export function followTicks(interruptFlag: Int32Array): void {
  const ask = process.nextTick;
  process.nextTick = function nextTick(...given: Parameters<typeof ask>) {
    sinceTurn++;
    if (sinceTurn === manyTicks) setImmediate(() => (sinceTurn = 0));
    if (sinceTurn > 2 * manyTicks && Atomics.load(interruptFlag, 0) !== 0) return;
    ask.apply(process, given);
  } as typeof ask;
}

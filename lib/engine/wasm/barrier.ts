import { FunctionBuilder } from "./function-builder.ts";

// Words at the beginning of the memory, a cache line each, so that waiting for one does not slow down the others.

/** Counts barriers passed; it is what threads wait for. */
const generationAt = 0;
/** Threads that have reached the barrier. */
const arrivedAt = 64;
/** Threads that sleep at the barrier and must be woken. */
const sleepingAt = 128;
/** Not 0 when a run was left half-done: who waits then gives up. */
const abandonedAt = 192;

/** Bytes before the arena. */
export const headerBytes = 256;

/** How long a sleeping thread sleeps before it looks whether it has been given up, in nanoseconds. */
const longestSleep = 50_000_000;

/**
 * How often a waiting thread looks before it sleeps. That is about as long as waking up takes, so that a wait is never
 * much more than twice as long as it had to be: 17 µs at 0.43 ns a look, measured on a Xeon of 2023, where a training
 * step of 784-128-10 takes 385 µs on two threads so, and 570 µs with a tenth of it.
 */
const looksBeforeSleep = 40_000;

/**
 * A function in which each of `threads` threads waits for all others: it spins for a while, since parts are cut
 * evenly, then sleeps, since on a busy machine the others may not be running at all. It traps if the run has been
 * abandoned.
 */
export function barrierFunction(threads: number): FunctionBuilder {
  const code = new FunctionBuilder(0);
  const generation = code.local("i32");
  const looks = code.local("i32");
  const load = (address: number): FunctionBuilder => code.i32(0).access("i32.atomic.load", address);
  const unchanged = (): FunctionBuilder => load(generationAt).get(generation).op("i32.eq");

  load(generationAt).set(generation);
  code
    .i32(0)
    .i32(1)
    .access("i32.atomic.rmw.add", arrivedAt)
    .i32(threads - 1)
    .op("i32.eq");
  code.when(() => {
    code.i32(0).i32(0).access("i32.atomic.store", arrivedAt);
    code.i32(0).get(generation).i32(1).op("i32.add").access("i32.atomic.store", generationAt);
    // Sleepers are few: waking costs a system call.
    load(sleepingAt).when(() => {
      code.i32(0).i32(threads).access("memory.atomic.notify", generationAt).op("drop");
    });
    code.op("return");
  });
  code.i32(looksBeforeSleep).set(looks);
  code.loop(() => {
    load(generationAt)
      .get(generation)
      .op("i32.ne")
      .when(() => code.op("return"));
    code.get(looks).i32(1).op("i32.sub").tee(looks).branchIf(0);
  });
  code.i32(0).i32(1).access("i32.atomic.rmw.add", sleepingAt).op("drop");
  code.loop(() => {
    load(abandonedAt).when(() => code.op("unreachable"));
    code.i32(0).get(generation).i64(longestSleep).access("memory.atomic.wait32", generationAt).op("drop");
    unchanged().branchIf(0);
  });
  code.i32(0).i32(1).access("i32.atomic.rmw.sub", sleepingAt).op("drop");
  return code;
}

/** Tells all threads that wait at a barrier to give up, because one of them has left the run. */
export function abandonRun(memory: WebAssembly.Memory): void {
  const words = new Int32Array(memory.buffer, 0, headerBytes / 4);
  Atomics.store(words, abandonedAt / 4, 1);
  Atomics.notify(words, generationAt / 4);
}

/** Makes barriers usable again once no thread is in a run. */
export function resetBarrier(memory: WebAssembly.Memory): void {
  const words = new Int32Array(memory.buffer, 0, headerBytes / 4);
  for (const address of [arrivedAt, sleepingAt, abandonedAt]) Atomics.store(words, address / 4, 0);
}

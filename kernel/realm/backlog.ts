import type { FromRealm } from "./messages.ts";

/** The worker waits while more than this is under way; see `weightOf`. */
const most = 500_000;

/** It goes on as soon as no more than this is left, and not for every message that the kernel has taken. */
const few = most / 2;

/** What text weighs beside its length: much of it travels on together. */
const ofText = 100;

/**
 * What everything else weighs beside its contents: it travels on by itself, ten times as slowly, and whoever stops a loop
 * waits for all that is under way.
 */
const ofItself = 5000;

/**
 * How much work a message makes, roughly in characters of text; 0 for what a cell does not say in a loop. How large plain data
 * is cannot be told without writing it down, so it counts by itself alone.
 */
function weightOf(message: FromRealm): number {
  switch (message.type) {
    case "stream":
      return ofText + message.text.length;
    case "display": {
      const texts = Object.values(message.data).filter((value) => typeof value === "string");
      return texts.reduce((weight, { length }) => weight + length, ofItself);
    }
    case "comm_open":
    case "comm_msg":
    case "comm_close":
      return message.buffers.reduce((weight, { byteLength }) => weight + byteLength, ofItself);
    case "clear":
      return ofItself;
    default:
      return 0;
  }
}

/**
 * What a worker has said and the kernel has not heard yet. A loop can print faster than the kernel passes text on; it waits
 * here, before the kernel's memory is full of it. Worker and kernel have one of these each, on the same shared word.
 */
export class Backlog {
  readonly buffer: SharedArrayBuffer;
  readonly #weight: Int32Array;

  constructor(buffer = new SharedArrayBuffer(4)) {
    this.buffer = buffer;
    this.#weight = new Int32Array(buffer);
  }

  /** In the worker, before it says something: waits for room. */
  enter(message: FromRealm): void {
    const weight = weightOf(message);
    if (weight === 0) return;
    for (let now = Atomics.load(this.#weight, 0); now > most; now = Atomics.load(this.#weight, 0)) {
      Atomics.wait(this.#weight, 0, now);
    }
    Atomics.add(this.#weight, 0, weight);
  }

  /** In the kernel, when it has heard something. */
  leave(message: FromRealm): void {
    const weight = weightOf(message);
    if (weight === 0) return;
    const before = Atomics.sub(this.#weight, 0, weight);
    if (before > few && before - weight <= few) Atomics.notify(this.#weight, 0);
  }

  /** In the kernel, when nothing is under way: what was terminated between `enter` and its message never arrives. */
  clear(): void {
    Atomics.store(this.#weight, 0, 0);
    Atomics.notify(this.#weight, 0);
  }
}

import { readSync, writeSync } from "node:fs";
import { decode, encode, type Objects, patch, type Reply, type Request, type Wire } from "./wire.ts";

type Unnumbered<Any> = Any extends unknown ? Omit<Any, "id"> : never;

/** An answer that is not an error. */
export type Answer = Extract<Reply, { readonly ok: Wire }>;

/** Asks the other side and waits, blocking the thread, for its answer; throws where that is an error. */
export type Ask = (request: Unnumbered<Request>) => Answer;

/** What the other side may do with objects that this side lends. */
export type Policy =
  /** Everything: it is the one that is being judged. */
  | "open"
  /** Call functions, call methods that a class declares, read data of its own; never reach a constructor. */
  | "guarded";

/** Reads lines from a descriptor, blocking the thread while there is none. */
export class LineReader {
  readonly #descriptor: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** The next line; undefined when the other end is closed. */
  next(): string | undefined {
    const parts: Buffer[] = [];
    for (let chunk: Buffer = this.#rest; ; chunk = this.#read()) {
      const end = chunk.indexOf(10);
      if (end >= 0) {
        this.#rest = chunk.subarray(end + 1);
        return Buffer.concat([...parts, chunk.subarray(0, end)]).toString("utf8");
      }
      if (chunk.length === 0 && parts.length > 0 && parts.at(-1)?.length === 0) return undefined;
      parts.push(chunk);
      this.#rest = Buffer.alloc(0);
    }
  }

  #read(): Buffer {
    const chunk = Buffer.allocUnsafe(65536);
    for (;;) {
      try {
        return chunk.subarray(0, readSync(this.#descriptor, chunk));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      }
    }
  }
}

/** Writes a line whole. */
export function writeLineSync(descriptor: number, value: Request | Reply): void {
  let bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(descriptor, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

const forbidden = ["constructor", "__proto__", "prototype", "caller", "callee", "arguments"];

/**
 * One side of the border between two processes. Plain data crosses it as copies; functions and objects of classes stay
 * where they are and are seen through proxies.
 */
export class Membrane implements Objects {
  readonly #ask: Ask;
  readonly #policy: Policy;
  readonly #lent = new Map<number, object>();
  readonly #numbers = new WeakMap<object, number>();
  /** Our proxies of the other side's objects, and back. */
  readonly #views = new Map<number, WeakRef<object>>();
  readonly #refs = new WeakMap<object, number>();
  #last = 0;

  constructor(ask: Ask, policy: Policy) {
    this.#ask = ask;
    this.#policy = policy;
  }

  lend(object: object): number {
    const known = this.#numbers.get(object);
    if (known !== undefined) return known;
    const number = ++this.#last;
    this.#lent.set(number, object);
    this.#numbers.set(object, number);
    return number;
  }

  lentTo(object: object): number | undefined {
    return this.#refs.get(object);
  }

  own(ref: number): unknown {
    const object = this.#lent.get(ref);
    if (object === undefined) throw new ReferenceError(`border: must name an object that was lent, got ${ref}`);
    return object;
  }

  view(ref: number, is: "function" | "promise" | "object"): unknown {
    const known = this.#views.get(ref)?.deref();
    if (known !== undefined) return known;
    const view = is === "promise" ? this.#promise(ref) : this.#proxy(ref, is === "function");
    this.#views.set(ref, new WeakRef(view));
    this.#refs.set(view, ref);
    return view;
  }

  /** The other side's value of a name. */
  named(name: string): unknown {
    return decode(this.#ask({ op: "name", name }).ok, this);
  }

  /** Answers a request of the other side; only `await` takes time. */
  async answerLater(request: Request, resolveName: (name: string) => unknown): Promise<Reply> {
    if (request.op !== "await") return this.answer(request, resolveName);
    try {
      return { id: request.id, ok: encode(await this.own(request.ref), this) };
    } catch (error) {
      return { id: request.id, error: this.#encodeError(error) };
    }
  }

  /** Answers a request of the other side at once. */
  answer(request: Request, resolveName: (name: string) => unknown): Reply {
    const { id } = request;
    try {
      if (request.op === "call" || request.op === "new") return this.#invoke(request);
      return { id, ok: encode(this.#answer(request, resolveName), this) };
    } catch (error) {
      return { id, error: this.#encodeError(error) };
    }
  }

  #encodeError(error: unknown): Wire {
    try {
      return encode(error, this);
    } catch {
      return { e: { name: "Error", message: "an error that cannot be told" } };
    }
  }

  #answer(request: Exclude<Request, { op: "call" | "new" }>, resolveName: (name: string) => unknown): unknown {
    if (request.op === "name") return resolveName(request.name);
    const object = this.own(request.ref) as Record<string, unknown>;
    switch (request.op) {
      case "get":
        return this.#policy === "open" ? object[request.key] : guardedMember(object, request.key);
      case "has":
        return this.#policy === "open" ? request.key in object : guardedMember(object, request.key) !== undefined;
      case "keys":
        return this.#policy === "open" || typeof object !== "function" ? Object.keys(object) : [];
      case "iterate":
        if (this.#policy !== "open") throw new TypeError("border: what was lent to you cannot be iterated");
        return [...(object as unknown as Iterable<unknown>)];
      case "set":
        if (this.#policy !== "open") throw new TypeError("border: what was lent to you cannot be changed");
        object[request.key] = decode(request.value, this);
        return undefined;
      case "await":
        throw new TypeError("border: a promise cannot be waited for from here");
    }
  }

  #invoke(request: Extract<Request, { op: "call" | "new" }>): Reply {
    const callee = this.own(request.ref);
    if (typeof callee !== "function") throw new TypeError("border: must be a function to be called");
    const args = request.args.map((wire) => decode(wire, this));
    if (request.op === "new" && this.#policy !== "open")
      throw new TypeError("border: what was lent cannot be constructed");
    const result =
      request.op === "new" ? Reflect.construct(callee, args) : Reflect.apply(callee, decode(request.self, this), args);
    // Encoding comes first: the callee may return one of its arguments.
    const ok = encode(result, this);
    const changed = args.flatMap((argument, index): [number, Wire][] => {
      if (typeof argument !== "object" || argument === null || this.lentTo(argument) !== undefined) return [];
      const now = encode(argument, this);
      return JSON.stringify(now) === JSON.stringify(request.args[index]) || "ref" in (now as object)
        ? []
        : [[index, now]];
    });
    return { id: request.id, ok, ...(changed.length > 0 && { changed }) };
  }

  #proxy(ref: number, isFunction: boolean): object {
    const ask = (request: Unnumbered<Request>): unknown => decode(this.#ask(request).ok, this);
    // biome-ignore lint/complexity/useArrowFunction: an arrow function could not stand for one that is constructed
    const target = isFunction ? function (): void {} : {};
    return new Proxy(target, {
      get: (_, key) => {
        if (key === Symbol.iterator) {
          return () => (ask({ op: "iterate", ref }) as unknown[])[Symbol.iterator]();
        }
        return typeof key === "symbol" ? undefined : ask({ op: "get", ref, key });
      },
      set: (_, key, value) => {
        if (typeof key === "symbol") return false;
        ask({ op: "set", ref, key, value: encode(value, this) });
        return true;
      },
      has: (_, key) => typeof key !== "symbol" && (ask({ op: "has", ref, key }) as boolean),
      ownKeys: () => [...new Set([...(isFunction ? ["prototype"] : []), ...(ask({ op: "keys", ref }) as string[])])],
      getOwnPropertyDescriptor: (own, key) => {
        const fixed = Reflect.getOwnPropertyDescriptor(own, key);
        if (fixed?.configurable === false || typeof key === "symbol") return fixed;
        if (!(ask({ op: "keys", ref }) as string[]).includes(key)) return undefined;
        return { value: ask({ op: "get", ref, key }), configurable: true, enumerable: true, writable: true };
      },
      apply: (_, self, args: unknown[]) =>
        this.#call(args, { op: "call", ref, self: this.#self(self), args: args.map((arg) => encode(arg, this)) }),
      construct: (_, args: unknown[]) =>
        this.#call(args, { op: "new", ref, args: args.map((arg) => encode(arg, this)) }) as object,
    });
  }

  /** The receiver of a call, where it is one of theirs; ours is nothing that their function could use as `this`. */
  #self(self: unknown): Wire {
    const ref = typeof self === "object" || typeof self === "function" ? self && this.lentTo(self) : undefined;
    return typeof ref === "number" ? { yours: ref } : { u: 1 };
  }

  /** Calls, and lets the arguments show what the callee wrote into them. */
  #call(args: readonly unknown[], request: Unnumbered<Request>): unknown {
    const { ok, changed = [] } = this.#ask(request);
    for (const [index, wire] of changed) patch(args[index], decode(wire, this));
    return decode(ok, this);
  }

  #promise(ref: number): Promise<unknown> {
    // Asked for in a turn of its own, so that several promises are on their way before the first is waited for.
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          resolve(decode(this.#ask({ op: "await", ref }).ok, this));
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}

/** What may be seen of an object from the other side under the policy `guarded`. */
function guardedMember(object: object, key: string): unknown {
  if (typeof object === "function" || forbidden.includes(key)) return undefined;
  for (let place: object | null = object; place !== null; place = Object.getPrototypeOf(place)) {
    // What every object of the language has leads to its constructors.
    if (place === Object.prototype || place === Function.prototype || place === Array.prototype) return undefined;
    const found = Object.getOwnPropertyDescriptor(place, key);
    if (found === undefined) continue;
    const value = found.get ? Reflect.apply(found.get, object, []) : found.value;
    return typeof value === "function" && place !== object ? value.bind(object) : value;
  }
  return undefined;
}

import type { Affine, Axis } from "../../loops/index.ts";
import type { FunctionBuilder } from "./function-builder.ts";

/** All numbers in the arena are 32 bits wide. */
export const bytesPerNumber = 4;

/** Where a loop over an axis begins and how far it goes each time. */
export interface Advance {
  readonly axis: Axis;
  /** Elements of the axis per iteration. */
  readonly tile: number;
  /** Local with the number of the first tile; tile 0 where there is none. */
  readonly firstTile: number | null;
}

/**
 * Addresses by strength reduction: for every combination of strides that occurs under the loops that are open, one
 * local holds the bytes that the loops' tiles contribute; it moves on with its innermost loop. What is constant goes
 * into the immediate offset of the access, so that buffers with equal strides share one local.
 */
export class Pointers {
  readonly #function: FunctionBuilder;
  readonly #open: Axis[] = [];
  readonly #locals = new Map<string, number>();

  constructor(builder: FunctionBuilder) {
    this.#function = builder;
  }

  /** Runs `body` as a loop's inside; `loop` emits the loop around what it is given, which moves the pointers on. */
  within(advance: Advance, indices: readonly Affine[], loop: (moveOn: () => void) => void, after: () => void): void {
    const { axis, tile, firstTile } = advance;
    const code = this.#function;
    const moving: { key: string; local: number; step: number }[] = [];
    for (const index of indices) {
      const stride = index.terms.find((term) => term.axis === axis)?.stride ?? 0;
      if (stride === 0) continue;
      const parent = this.#locals.get(this.#key(index, this.#open));
      const key = this.#key(index, [...this.#open, axis]);
      if (moving.some((pointer) => pointer.key === key)) continue;
      const local = code.local("i32");
      const step = stride * tile * bytesPerNumber;
      if (firstTile === null) code.i32(0);
      else code.get(firstTile).i32(step).op("i32.mul");
      if (parent !== undefined) code.get(parent).op("i32.add");
      code.set(local);
      moving.push({ key, local, step });
    }
    this.#open.push(axis);
    for (const { key, local } of moving) this.#locals.set(key, local);
    loop(() => {
      for (const { local, step } of moving) code.get(local).i32(step).op("i32.add").set(local);
    });
    after();
    this.#open.pop();
    for (const { key, local } of moving) {
      this.#locals.delete(key);
      code.release("i32", local);
    }
  }

  /** Pushes what the open loops contribute to an index, in bytes. */
  push(index: Affine): void {
    const local = this.#locals.get(this.#key(index, this.#open));
    if (local === undefined) this.#function.i32(0);
    else this.#function.get(local);
  }

  #key(index: Affine, axes: readonly Axis[]): string {
    const parts: string[] = [];
    for (const [position, axis] of axes.entries()) {
      const term = index.terms.find((candidate) => candidate.axis === axis);
      if (term !== undefined && term.stride !== 0) parts.push(`${position}:${term.stride}`);
    }
    return parts.join(" ");
  }
}

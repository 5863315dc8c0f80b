import { type Axis, type Expression, operandsOf } from "../../loops/index.ts";
import type { FunctionBuilder } from "./function-builder.ts";

/** One of the points that are computed together: for each tiled axis, how far it is from the beginning of the tile. */
export type Point = ReadonlyMap<Axis, number>;

/** What tells two points apart for an expression: the coordinates of the axes that it depends on. */
export type KeyOf = (expression: Expression, point: Point) => string;

/**
 * Values that are in locals while a stretch of code runs. Before that code is emitted all uses are counted, so that
 * exactly what is used more than once, by several nodes or by several points, is kept, and no longer than needed.
 */
export class Scope {
  readonly #function: FunctionBuilder;
  readonly #keyOf: KeyOf;
  readonly #outer: Scope | null;
  readonly #locals = new Map<Expression, Map<string, number>>();
  readonly #uses = new Map<Expression, Map<string, number>>();
  readonly #owned = new Set<number>();

  constructor(builder: FunctionBuilder, keyOf: KeyOf, outer: Scope | null) {
    this.#function = builder;
    this.#keyOf = keyOf;
    this.#outer = outer;
  }

  /** The local that holds an expression at a point, if any. */
  find(expression: Expression, point: Point): number | undefined {
    const key = this.#keyOf(expression, point);
    for (let scope: Scope | null = this; scope !== null; scope = scope.#outer) {
      const local = scope.#locals.get(expression)?.get(key);
      if (local !== undefined) return local;
    }
    return undefined;
  }

  /** Remembers that a local, which is this scope's from now on, holds an expression at a point. */
  keep(expression: Expression, point: Point, local: number): void {
    let byKey = this.#locals.get(expression);
    if (byKey === undefined) this.#locals.set(expression, (byKey = new Map()));
    byKey.set(this.#keyOf(expression, point), local);
    this.#owned.add(local);
  }

  /** Counts the uses that emitting these expressions at these points will make. */
  count(roots: readonly Expression[], points: readonly Point[]): void {
    this.#uses.clear();
    for (const point of points) for (const root of roots) this.#countUse(root, point);
  }

  /** Whether an expression that is about to be computed will be needed again. */
  isShared(expression: Expression, point: Point): boolean {
    return (this.#uses.get(expression)?.get(this.#keyOf(expression, point)) ?? 1) > 1;
  }

  /** Notes a use; after the last one that was counted the local is given back. */
  use(expression: Expression, point: Point): void {
    const key = this.#keyOf(expression, point);
    const byKey = this.#uses.get(expression);
    const left = byKey?.get(key);
    if (byKey === undefined || left === undefined) return;
    byKey.set(key, left - 1);
    const local = this.#locals.get(expression)?.get(key);
    if (left > 1 || local === undefined) return;
    this.#locals.get(expression)?.delete(key);
    this.#release(local);
  }

  /** Gives all locals back. */
  close(): void {
    for (const local of [...this.#owned]) this.#release(local);
    this.#locals.clear();
  }

  #release(local: number): void {
    if (this.#owned.delete(local)) this.#function.release("v128", local);
  }

  #countUse(expression: Expression, point: Point): void {
    // What a scope knows before it starts costs nothing more.
    if (expression.kind === "constant" || this.find(expression, point) !== undefined) return;
    let byKey = this.#uses.get(expression);
    if (byKey === undefined) this.#uses.set(expression, (byKey = new Map()));
    const key = this.#keyOf(expression, point);
    const before = byKey.get(key) ?? 0;
    byKey.set(key, before + 1);
    if (before === 0) for (const operand of operandsOf(expression)) this.#countUse(operand, point);
  }
}

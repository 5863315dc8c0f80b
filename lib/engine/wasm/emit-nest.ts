import {
  type Affine,
  type Axis,
  axesUsedAsNumbers,
  type Buffer,
  Dependencies,
  type Expression,
  hoistedByDepth,
  indicesIn,
  indicesOfNest,
  invariantsOf,
  type Nest,
  nestedReductions,
  type Reduction,
  type Store,
  threadAxis,
} from "../../loops/index.ts";
import {
  type ExpressionContext,
  emitExpression,
  emitPairedStore,
  emitStore,
  type Features,
  type Lanes,
  lanesPerVector,
  pushCombination,
  pushConstant,
} from "./emit-expression.ts";
import type { FunctionBuilder } from "./function-builder.ts";
import { Pointers } from "./pointers.ts";
import { type Point, Scope } from "./scope.ts";

/** How a nest is shared among threads: which of its loops is cut, and where the number of the thread is. */
export interface Split {
  readonly depth: number;
  readonly threads: number;
  /** Local with the thread's number, from 0. */
  readonly thread: number;
}

/** Vectors that an interleaved reduction keeps, to hide the latency of one addition behind others. */
const interleavedVectors = 4;

/**
 * Whether lanes past the end of the last axis add nothing to a reduction anyway: a sum of products of two numbers that
 * are both loaded along the lanes, where lanes that are not loaded are zeros.
 */
function isZeroPastTheEnd({ axes, body, combine, initial }: Reduction): boolean {
  if (combine !== "sum" || initial !== 0 || body.kind !== "binary" || body.name !== "multiply") return false;
  return [body.left, body.right].every(
    (factor) =>
      factor.kind === "load" && factor.index.terms.some(({ axis, inner }) => axis === axes.at(-1) && inner !== 0),
  );
}

/** Whether the lanes of one store go to every other element, and those of another one to the elements between. */
function interleaves(one: Store, other: Store, { axis }: Lanes): boolean {
  const { terms } = one.index;
  if (one.buffer !== other.buffer || other.index.constant !== one.index.constant + 1) return false;
  if (terms.length !== other.index.terms.length || !terms.some((term) => term.axis === axis && term.inner === 2)) {
    return false;
  }
  return terms.every((term) =>
    other.index.terms.some(
      ({ axis, stride, inner }) => axis === term.axis && stride === term.stride && inner === term.inner,
    ),
  );
}

const oneLane: Lanes = { axis: null, valid: () => 1 };

/** Emits the code of one nest into a function. Each thread computes its part of the split loop; see `Split`. */
export function emitNest(
  nest: Nest,
  code: FunctionBuilder,
  features: Features,
  addressOf: (buffer: Buffer) => number,
  split: Split | null,
): void {
  if (nest.loops.some(({ axis }) => axis.extent === 0)) return;
  const indices = indicesOfNest(nest);
  const counters = new Map<Axis, number>();
  const context: NestContext = {
    code,
    features,
    pointers: new Pointers(code),
    addressOf,
    counterOf: (axis) => counters.get(axis) ?? null,
    counters,
    numbers: axesUsedAsNumbers(nest),
    around: [threadAxis],
  };
  // What a thread has of its own lies as far from the first thread's as the thread's number says.
  context.pointers.within(
    { axis: threadAxis, tile: 1, firstTile: threadParameter },
    indices,
    () => new NestEmitter(nest, context, split).emit(),
    () => {},
  );
}

/** The parameter of a nest's function: the number of the thread. */
const threadParameter = 0;

/** What a nest and those inside of it share. */
interface NestContext extends ExpressionContext {
  /** Locals with the values of axes that are used as numbers. */
  readonly counters: Map<Axis, number>;
  readonly numbers: ReadonlySet<Axis>;
  /** Axes of the loops around. */
  readonly around: readonly Axis[];
}

class NestEmitter {
  readonly #nest: Nest;
  readonly #code: FunctionBuilder;
  readonly #split: Split | null;
  readonly #context: NestContext;
  readonly #dependencies = new Dependencies();
  readonly #hoisted: readonly (readonly Expression[])[];
  readonly #indices: readonly Affine[];
  /** How many values of each open axis are computed together. */
  readonly #sizes = new Map<Axis, number>();

  constructor(nest: Nest, context: NestContext, split: Split | null) {
    this.#nest = nest;
    this.#code = context.code;
    this.#split = split;
    this.#context = context;
    this.#hoisted = hoistedByDepth(nest, this.#dependencies, context.around);
    this.#indices = indicesOfNest(nest);
  }

  emit(): void {
    this.#level(0, null);
  }

  /** What happens inside the outermost `depth` loops: hoisted values, stores, and the loops further inside. */
  #level(depth: number, outer: Scope | null): void {
    const scope = new Scope(this.#code, this.#keyOf, outer);
    const points = this.#pointsAt(depth);
    const lanes = this.#lanesAt(depth);
    for (const expression of this.#hoisted[depth]) {
      if (expression.kind === "reduce") this.#reduction(expression, scope, lanes, points);
      else this.#keepAt(expression, scope, lanes, points);
    }
    const stores = this.#nest.stores.filter((store) => store.depth === depth);
    if (stores.length > 0) this.#stores(stores, scope, lanes, points);
    if (depth < this.#nest.loops.length) this.#loop(depth, scope);
    else this.#inside();
    scope.close();
  }

  #inside(): void {
    const { inside = [], loops } = this.#nest;
    const context = { ...this.#context, around: [...this.#context.around, ...loops.map(({ axis }) => axis)] };
    for (const nest of inside) new NestEmitter(nest, context, null).emit();
  }

  #loop(depth: number, scope: Scope): void {
    const { axis, tile } = this.#nest.loops[depth];
    const inside = (size: number): void => {
      this.#sizes.set(axis, size);
      this.#level(depth + 1, scope);
      this.#sizes.delete(axis);
    };
    if (this.#split?.depth === depth) this.#splitLoop(this.#split, depth, inside);
    else this.#tiles(axis, tile, this.#indices, inside);
  }

  /** Emits the tiles of an axis: a loop over whole ones, and what is left once more with a smaller size. */
  #tiles(axis: Axis, tile: number, indices: readonly Affine[], inside: (size: number) => void): void {
    const whole = Math.floor(axis.extent / tile);
    const rest = axis.extent % tile;
    if (whole === 0 || (whole === 1 && rest === 0)) {
      if (axis.extent > 0) inside(axis.extent);
      return;
    }
    this.#context.pointers.within(
      { axis, tile, firstTile: null },
      indices,
      (moveOn) => {
        this.#counted(axis, tile, null, moveOn, (next) => {
          this.#repeat(whole, () => {
            inside(tile);
            next();
          });
        });
      },
      () => {
        if (rest > 0) this.#restAt(axis, whole * tile, () => inside(rest));
      },
    );
  }

  /** Code for thread t of n: tiles ⌊T·t/n⌋ up to ⌊T·(t+1)/n⌋ of T, of which the last may be a smaller one. */
  #splitLoop({ thread, threads }: Split, depth: number, inside: (size: number) => void): void {
    const { axis, tile } = this.#nest.loops[depth];
    const code = this.#code;
    const whole = Math.floor(axis.extent / tile);
    const rest = axis.extent % tile;
    const tiles = whole + (rest > 0 ? 1 : 0);
    const first = code.local("i32");
    const end = code.local("i32");
    const left = code.local("i32");
    code.get(thread).i32(tiles).op("i32.mul").i32(threads).op("i32.div_u").set(first);
    code.get(thread).i32(1).op("i32.add").i32(tiles).op("i32.mul").i32(threads).op("i32.div_u").set(end);
    code.get(end).get(first).op("i32.sub");
    // The smaller tile, if it is this thread's, is not one of the whole ones; an empty share does not contain it.
    if (rest > 0) code.get(end).i32(tiles).op("i32.eq").get(first).i32(tiles).op("i32.lt_u", "i32.mul", "i32.sub");
    code.set(left);
    this.#context.pointers.within(
      { axis, tile, firstTile: first },
      this.#indices,
      (moveOn) => {
        this.#counted(axis, tile, first, moveOn, (next) => {
          if (whole === 0) return;
          code.get(left).when(() => {
            code.loop(() => {
              inside(tile);
              next();
              code.get(left).i32(1).op("i32.sub").tee(left).branchIf(0);
            });
          });
        });
      },
      () => {
        if (rest === 0) return;
        code.get(end).i32(tiles).op("i32.eq").get(first).get(end).op("i32.lt_u", "i32.mul");
        code.when(() => this.#restAt(axis, whole * tile, () => inside(rest)));
      },
    );
    for (const local of [first, end, left]) code.release("i32", local);
  }

  #reduction(expression: Reduction, scope: Scope, lanes: Lanes, points: readonly Point[]): void {
    const { axes, body, initial, type } = expression;
    const code = this.#code;
    const own = this.#distinct(expression, points).filter((point) => scope.find(expression, point) === undefined);
    if (own.length === 0) return;
    for (const invariant of invariantsOf(expression, this.#dependencies)) this.#keepAt(invariant, scope, lanes, own);
    const nested = nestedReductions(expression, this.#dependencies);
    const inner = axes.at(-1);
    if (expression.interleaved && lanes.axis === null && nested.length === 0 && inner !== undefined) {
      if (inner.extent >= lanesPerVector) {
        this.#interleaved(expression, scope, own);
        return;
      }
    }
    const sums = own.map(() => code.local("v128"));
    for (const sum of sums) {
      pushConstant(code, type, initial);
      code.set(sum);
    }
    this.#over(axes, 1, indicesIn([body]), () => {
      const inside = new Scope(code, this.#keyOf, scope);
      for (const below of nested) this.#reduction(below, inside, lanes, own);
      inside.count([body], own);
      for (const [position, point] of own.entries()) {
        this.#accumulate(expression, inside, lanes, point, sums[position]);
      }
      inside.close();
    });
    for (const [position, point] of own.entries()) scope.keep(expression, point, sums[position]);
  }

  /** Emits loops over axes, outermost first, of which the last one goes in tiles. */
  #over(axes: readonly Axis[], tile: number, indices: readonly Affine[], inside: (size: number) => void): void {
    const [axis, ...rest] = axes;
    if (axis === undefined) inside(1);
    else if (rest.length === 0) this.#tiles(axis, tile, indices, inside);
    else this.#tiles(axis, 1, indices, () => this.#over(rest, tile, indices, inside));
  }

  /** sum ∘= body; a product that need not be rounded becomes a multiply-add. */
  #accumulate(
    { type, combine, body, contracted }: Reduction,
    scope: Scope,
    lanes: Lanes,
    point: Point,
    sum: number,
  ): void {
    const code = this.#code;
    const product = contracted && body.kind === "binary" && body.name === "multiply";
    if (product && this.#context.features.multiplyAdd) {
      emitExpression(this.#context, scope, lanes, body.left, point);
      emitExpression(this.#context, scope, lanes, body.right, point);
      code.get(sum).op("f32x4.relaxed_madd").set(sum);
      return;
    }
    code.get(sum);
    emitExpression(this.#context, scope, lanes, body, point);
    pushCombination(code, type, combine);
    code.set(sum);
  }

  /** A reduction at some points with the lanes along its own last axis; each result then is in all lanes of a local. */
  #interleaved(expression: Reduction, scope: Scope, points: readonly Point[]): void {
    const { axes, body, type, combine, initial } = expression;
    const axis = axes[axes.length - 1];
    const code = this.#code;
    const most = Math.max(1, Math.floor(interleavedVectors / points.length));
    const vectors = Math.min(most, Math.floor(axis.extent / lanesPerVector));
    const sums = points.map(() => Array.from({ length: vectors }, () => code.local("v128")));
    for (const sum of sums.flat()) {
      pushConstant(code, type, initial);
      code.set(sum);
    }
    const masked = !isZeroPastTheEnd(expression);
    const step = (count: number): void => {
      const inner = new Scope(code, this.#keyOf, scope);
      const lanes: Lanes = {
        axis,
        valid: (place) => Math.min(lanesPerVector, count - (place.get(axis) ?? 0)),
      };
      for (let vector = 0; vector * lanesPerVector < count; vector++) {
        const places = points.map((point) => new Map(point).set(axis, vector * lanesPerVector));
        const valid = lanes.valid(places[0]);
        inner.count([body], places);
        for (const [position, place] of places.entries()) {
          const sum = sums[position][vector];
          if (valid === lanesPerVector || !masked) {
            this.#accumulate(expression, inner, lanes, place, sum);
            continue;
          }
          // Lanes past the end must not change anything.
          code.get(sum);
          emitExpression(this.#context, inner, lanes, body, place);
          pushConstant(code, type, initial);
          code.lanes(Array.from({ length: lanesPerVector }, (_, lane) => (lane < valid ? -1 : 0)));
          code.op("v128.bitselect");
          pushCombination(code, type, combine);
          code.set(sum);
        }
      }
      inner.close();
    };
    this.#over(axes, vectors * lanesPerVector, indicesIn([body]), step);
    for (const [position, [total, ...others]] of sums.entries()) {
      for (const other of others) {
        code.get(total).get(other);
        pushCombination(code, type, combine);
        code.set(total);
        code.release("v128", other);
      }
      for (const order of [
        [2, 3, 0, 1],
        [1, 0, 3, 2],
      ]) {
        code.get(total).get(total).get(total).shuffle(order);
        pushCombination(code, type, combine);
        code.set(total);
      }
      scope.keep(expression, points[position], total);
    }
  }

  #stores(stores: readonly Store[], scope: Scope, lanes: Lanes, points: readonly Point[]): void {
    const code = this.#code;
    scope.count(
      stores.map((store) => store.value),
      points,
    );
    for (const point of points) {
      const values = stores.map(({ value }) => {
        emitExpression(this.#context, scope, lanes, value, point);
        const local = code.local("v128");
        code.set(local);
        return local;
      });
      const done = new Set<number>();
      for (const [position, { buffer, index }] of stores.entries()) {
        if (done.has(position)) continue;
        const beside = stores.findIndex((other) => interleaves(stores[position], other, lanes));
        if (beside > position && lanes.valid(point) === lanesPerVector) {
          emitPairedStore(this.#context, buffer, index, point, [values[position], values[beside]]);
          done.add(beside);
        } else {
          emitStore(this.#context, lanes, buffer, index, point, values[position]);
        }
      }
      for (const local of values) code.release("v128", local);
    }
  }

  /** Computes an expression now, at every point that differs for it, and keeps it for the rest of the scope. */
  #keepAt(expression: Expression, scope: Scope, lanes: Lanes, points: readonly Point[]): void {
    const code = this.#code;
    const missing = this.#distinct(expression, points).filter((point) => scope.find(expression, point) === undefined);
    scope.count([expression], missing);
    for (const point of missing) {
      emitExpression(this.#context, scope, lanes, expression, point);
      const local = code.local("v128");
      code.set(local);
      scope.keep(expression, point, local);
    }
  }

  /** Emits a loop with a local that holds the axis's value, if anything asks for it. */
  #counted(
    axis: Axis,
    tile: number,
    firstTile: number | null,
    moveOn: () => void,
    emit: (next: () => void) => void,
  ): void {
    const code = this.#code;
    if (!this.#context.numbers.has(axis)) {
      emit(moveOn);
      return;
    }
    const counter = code.local("i32");
    if (firstTile === null) code.i32(0);
    else code.get(firstTile).i32(tile).op("i32.mul");
    code.set(counter);
    this.#context.counters.set(axis, counter);
    emit(() => {
      moveOn();
      code.get(counter).i32(tile).op("i32.add").set(counter);
    });
    this.#context.counters.delete(axis);
    code.release("i32", counter);
  }

  /** Emits what comes after the whole tiles of an axis, which then begins at a known value. */
  #restAt(axis: Axis, start: number, emit: () => void): void {
    if (!this.#context.numbers.has(axis)) {
      emit();
      return;
    }
    const code = this.#code;
    const counter = code.local("i32");
    code.i32(start).set(counter);
    this.#context.counters.set(axis, counter);
    emit();
    this.#context.counters.delete(axis);
    code.release("i32", counter);
  }

  #repeat(count: number, body: () => void): void {
    const code = this.#code;
    if (count === 1) {
      body();
      return;
    }
    const left = code.local("i32");
    code.i32(count).set(left);
    code.loop(() => {
      body();
      code.get(left).i32(1).op("i32.sub").tee(left).branchIf(0);
    });
    code.release("i32", left);
  }

  #lanesAt(depth: number): Lanes {
    const { vector, loops } = this.#nest;
    if (vector === null || !loops.slice(0, depth).some(({ axis }) => axis === vector)) return oneLane;
    const size = this.#sizes.get(vector) as number;
    return { axis: vector, valid: (point) => Math.min(lanesPerVector, size - (point.get(vector) ?? 0)) };
  }

  /** All points that the open loops compute together; lanes last, so that a row's scalars are loaded once. */
  #pointsAt(depth: number): readonly Point[] {
    const { vector } = this.#nest;
    const axes = this.#nest.loops.slice(0, depth).map((loop) => loop.axis);
    const ordered = axes.includes(vector as Axis) ? [...axes.filter((axis) => axis !== vector), vector as Axis] : axes;
    let points: Point[] = [new Map()];
    for (const axis of ordered) {
      const step = axis === vector ? lanesPerVector : 1;
      const next: Point[] = [];
      for (const point of points) {
        for (let offset = 0; offset < (this.#sizes.get(axis) as number); offset += step) {
          next.push(new Map(point).set(axis, offset));
        }
      }
      points = next;
    }
    return points;
  }

  #distinct(expression: Expression, points: readonly Point[]): readonly Point[] {
    const byKey = new Map<string, Point>();
    for (const point of points) {
      const key = this.#keyOf(expression, point);
      if (!byKey.has(key)) byKey.set(key, point);
    }
    return [...byKey.values()];
  }

  readonly #keyOf = (expression: Expression, point: Point): string => {
    const axes = this.#dependencies.of(expression);
    let key = "";
    for (const [axis, offset] of point) if (axes.has(axis)) key += `${offset} `;
    return key;
  };
}

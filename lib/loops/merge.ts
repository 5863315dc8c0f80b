import type { Affine, Axis } from "./affine.ts";
import { termOf } from "./affine.ts";
import { indicesIn } from "./analysis.ts";
import type { Expression, Reduction } from "./expression.ts";
import type { Store } from "./nest.ts";

/** Whether every index takes a step of `outer` as `inner.extent` steps of `inner`, so that both can be one axis. */
export function mergeable(indices: readonly Affine[], outer: Axis, inner: Axis): boolean {
  return indices.every((index) => {
    const far = termOf(index, outer);
    const near = termOf(index, inner);
    const even = far.stride === far.inner && near.stride === near.inner;
    return even && far.stride === near.stride * inner.extent;
  });
}

function mergeIndex(index: Affine, outer: Axis, inner: Axis, merged: Axis): Affine {
  const { stride } = termOf(index, inner);
  const terms = index.terms.filter(({ axis }) => axis !== outer && axis !== inner);
  return { ...index, terms: stride === 0 ? terms : [...terms, { axis: merged, stride, inner: stride }] };
}

/** What to change in expressions: their indices, or whole nodes. */
interface Change {
  readonly index: (index: Affine) => Affine;
  /** What stands in place of a node, which is then not looked into; null where it stays. */
  readonly replace?: (expression: Expression) => Expression | null;
}

/** Expressions with changes; nodes that were shared stay shared. */
export function rewrittenAll(expressions: readonly Expression[], { index, replace }: Change): readonly Expression[] {
  const known = new Map<Expression, Expression>();
  const walk = (expression: Expression): Expression => {
    let result = known.get(expression);
    if (result === undefined) known.set(expression, (result = replace?.(expression) ?? rebuild(expression)));
    return result;
  };
  const rebuild = (expression: Expression): Expression => {
    switch (expression.kind) {
      case "constant":
        return expression;
      case "load":
      case "index":
        return { ...expression, index: index(expression.index) };
      case "unary":
        return { ...expression, operand: walk(expression.operand) };
      case "binary":
      case "compare":
        return { ...expression, left: walk(expression.left), right: walk(expression.right) };
      case "multiplyAdd":
        return {
          ...expression,
          left: walk(expression.left),
          right: walk(expression.right),
          addend: walk(expression.addend),
        };
      case "select":
        return {
          ...expression,
          condition: walk(expression.condition),
          whenTrue: walk(expression.whenTrue),
          whenFalse: walk(expression.whenFalse),
        };
      case "reduce":
        return { ...expression, body: walk(expression.body) };
    }
  };
  return expressions.map(walk);
}

/**
 * Makes one reduction of reductions that are nested directly, and one axis of neighbouring axes that go through memory
 * as one; the order of elements stays.
 */
export function mergeReductions(expression: Expression): Expression {
  if (expression.kind !== "reduce") return expression;
  const { body, combine } = expression;
  if (body.kind === "reduce" && body.combine === combine) {
    return mergeReductions({ ...body, axes: [...expression.axes, ...body.axes] });
  }
  return mergeNeighbours(expression);
}

function mergeNeighbours(reduction: Reduction): Expression {
  const axes = reduction.axes.filter(({ extent }) => extent !== 1);
  if (axes.length === 0) return reduction.body;
  for (let position = 0; position + 1 < axes.length; position++) {
    const [outer, inner] = axes.slice(position, position + 2);
    if (!mergeable(indicesIn([reduction.body]), outer, inner)) continue;
    const merged = { name: `${outer.name}${inner.name}`, extent: outer.extent * inner.extent };
    const [body] = rewrittenAll([reduction.body], { index: (index) => mergeIndex(index, outer, inner, merged) });
    return mergeNeighbours({
      ...reduction,
      axes: [...axes.slice(0, position), merged, ...axes.slice(position + 2)],
      body,
    });
  }
  return { ...reduction, axes };
}

/** Axes of a nest, outermost first, and what it stores. */
export interface Space {
  readonly axes: readonly Axis[];
  readonly stores: readonly Store[];
}

/** Merges neighbouring axes that go through memory as one, so that loops are long and few. */
export function mergeAxes(space: Space): Space {
  for (let position = 0; position + 1 < space.axes.length; position++) {
    const [outer, inner] = space.axes.slice(position, position + 2);
    const { stores } = space;
    const indices = [...stores.map((store) => store.index), ...indicesIn(stores.map((store) => store.value))];
    if (stores.some(({ depth }) => depth === position + 1) || !mergeable(indices, outer, inner)) continue;
    const merged = { name: `${outer.name}${inner.name}`, extent: outer.extent * inner.extent };
    const index = (old: Affine): Affine => mergeIndex(old, outer, inner, merged);
    const values = rewrittenAll(
      stores.map((store) => store.value),
      { index },
    );
    return mergeAxes({
      axes: [...space.axes.slice(0, position), merged, ...space.axes.slice(position + 2)],
      stores: stores.map(({ buffer, index: place, depth }, store) => ({
        buffer,
        index: index(place),
        value: values[store],
        depth: depth > position + 1 ? depth - 1 : depth,
      })),
    });
  }
  return space;
}

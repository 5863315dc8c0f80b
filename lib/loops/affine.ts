/** A loop over 0 … extent − 1. Two axes are the same only if they are the same object. */
export interface Axis {
  readonly name: string;
  readonly extent: number;
}

/** What an axis adds to an index. */
interface Term {
  readonly axis: Axis;
  /** Elements from one value of the axis to the next. */
  readonly stride: number;
  /**
   * Elements from one value to the next inside a tile, where that differs: for the axis value `base + within`, of which
   * `base` is where the tile begins, the term is `base · stride + within · inner`. This is how panels are indexed.
   */
  readonly inner: number;
}

/** A constant plus a sum of terms, at most one per axis; counted in elements. */
export interface Affine {
  readonly constant: number;
  readonly terms: readonly Term[];
}

/** An index that does not depend on any axis. */
export function at(constant: number): Affine {
  return { constant, terms: [] };
}

/** An axis times a stride; nothing for axes that have but one value. */
export function along(axis: Axis, stride = 1, inner = stride): Affine {
  return { constant: 0, terms: axis.extent === 1 || (stride === 0 && inner === 0) ? [] : [{ axis, stride, inner }] };
}

/** The sum of indices. */
export function plus(...parts: readonly Affine[]): Affine {
  const terms = new Map<Axis, Term>();
  let constant = 0;
  for (const part of parts) {
    constant += part.constant;
    for (const term of part.terms) {
      const before = terms.get(term.axis);
      const stride = term.stride + (before?.stride ?? 0);
      const inner = term.inner + (before?.inner ?? 0);
      terms.set(term.axis, { axis: term.axis, stride, inner });
    }
  }
  return { constant, terms: [...terms.values()].filter(({ stride, inner }) => stride !== 0 || inner !== 0) };
}

/** An index times a whole number. */
export function times(index: Affine, factor: number): Affine {
  if (factor === 0) return at(0);
  return {
    constant: index.constant * factor,
    terms: index.terms.map(({ axis, stride, inner }) => ({ axis, stride: stride * factor, inner: inner * factor })),
  };
}

/** An index divided by a whole number, of which everything in it must be a multiple. */
export function divided(index: Affine, divisor: number): Affine {
  const numbers = [index.constant, ...index.terms.flatMap(({ stride, inner }) => [stride, inner])];
  if (numbers.some((number) => number % divisor !== 0)) {
    throw new Error(`internal: ${printAffine(index)} is not a multiple of ${divisor}`);
  }
  return times(index, 1 / divisor);
}

/** An index with other indices in place of some axes. */
export function substituted(index: Affine, by: ReadonlyMap<Axis, Affine>): Affine {
  const kept = { constant: index.constant, terms: index.terms.filter(({ axis }) => !by.has(axis)) };
  const others = index.terms.flatMap(({ axis, stride }) => {
    const replacement = by.get(axis);
    return replacement === undefined ? [] : [times(replacement, stride)];
  });
  return plus(kept, ...others);
}

/** Where a point of axes lies if they are laid out one after the other, the last one fastest. */
export function rowMajor(axes: readonly Axis[]): Affine {
  let stride = 1;
  const parts: Affine[] = [];
  for (const axis of [...axes].reverse()) {
    parts.push(along(axis, stride));
    stride *= axis.extent;
  }
  return plus(...parts.reverse());
}

/** What an axis adds to an index; zeros if nothing. */
export function termOf(index: Affine, axis: Axis): { readonly stride: number; readonly inner: number } {
  return index.terms.find((term) => term.axis === axis) ?? { stride: 0, inner: 0 };
}

/** An index as text, such as `128·i + j`; `⌊j⌋` is where the tile begins, and `[j]` how far it is from there. */
export function printAffine({ constant, terms }: Affine): string {
  const parts = terms.map(({ axis, stride, inner }) => {
    const times = (factor: number, name: string): string => (factor === 1 ? name : `${factor}·${name}`);
    if (stride === inner) return times(stride, axis.name);
    return `${times(stride, `⌊${axis.name}⌋`)} + ${times(inner, `[${axis.name}]`)}`;
  });
  if (constant !== 0 || parts.length === 0) parts.push(String(constant));
  return parts.join(" + ");
}

import type { Layer } from "./layer.ts";
import { inTurn } from "./model.ts";

/** What a layer made of layers is called. */
export interface BlockOptions {
  /** The name under which it stands, such as `conv4`; its type and a number unless told otherwise. */
  readonly name?: string;
  /** What it is, for layers that are numbered: `chain` or `residual` unless told otherwise. */
  readonly type?: string;
}

/** Layers in a row as one layer, under one name in graphs and pictures. */
export function chain(layers: readonly Layer[], { name, type = "chain" }: BlockOptions = {}): Layer {
  return {
    type,
    label: type,
    name,
    build: ({ apply }, input) => inTurn(layers, input, apply),
  };
}

/** Settings of a residual block. */
export interface ResidualOptions extends BlockOptions {
  /** Layers on the way around, where the shapes differ; none unless told otherwise, so that the input itself is added. */
  readonly shortcut?: readonly Layer[];
  /** Layers behind the addition, such as an activation; none unless told otherwise. */
  readonly after?: readonly Layer[];
}

/**
 * The sum of what layers make of the input and of the input itself (He, Zhang, Ren, Sun 2015).
 *
 * @throws Error if the two shapes differ
 */
export function residual(layers: readonly Layer[], options: ResidualOptions = {}): Layer {
  const { name, type = "residual", shortcut = [], after = [] } = options;
  return {
    type,
    label: type,
    name,
    build({ builder, apply }, input) {
      const body = inTurn(layers, input, apply);
      const around = shortcut.length === 0 ? input : apply(chain(shortcut, { name: "shortcut" }), input);
      return inTurn(after, builder.apply("add", [body, around]), apply);
    },
  };
}

/** What several branches make of one input, one after the other along an axis: channels (1) unless told otherwise. */
export function branches(
  sides: readonly (readonly Layer[])[],
  { axis = 1, ...options }: BlockOptions & { readonly axis?: number } = {},
): Layer {
  const { name, type = "branches" } = options;
  if (sides.length === 0)
    throw new Error("branches: there must be at least one branch, got none; give lists of layers");
  return {
    type,
    label: type,
    name,
    build: ({ builder, apply }, input) =>
      builder.apply(
        "concat",
        sides.map((layers) => apply(chain(layers, { type: "branch" }), input)),
        { axis },
      ),
  };
}

/**
 * A reversible block: of the two halves of its input along an axis (channels, 1, unless told otherwise),
 * y₁ = x₁ + f(x₂) and y₂ = x₂ + g(y₁). Its input can be computed from its output, so that `memory: "reversible"` keeps
 * nothing inside (Gomez et al., "The reversible residual network", 2017). Both f and g must keep the shape of a half.
 *
 * @throws Error if the axis is odd, or f or g changes the shape
 */
export function reversible(
  f: readonly Layer[],
  g: readonly Layer[],
  { axis = 1, ...options }: BlockOptions & { readonly axis?: number } = {},
): Layer {
  const { name, type = "reversible" } = options;
  return {
    type,
    label: type,
    name,
    build({ builder, apply }, input) {
      const [left, right] = builder.applyAll("split", [input], { axis, parts: 2 });
      const first = builder.apply("add", [left, apply(chain(f, { name: "f" }), right)]);
      const second = builder.apply("add", [right, apply(chain(g, { name: "g" }), first)]);
      return builder.apply("concat", [first, second], { axis });
    },
  };
}

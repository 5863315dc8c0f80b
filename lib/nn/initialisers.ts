import { full, type HostTensor, type Random, type Shape, zeros } from "../tensor/index.ts";

/** Makes the first values of a parameter; the same for the same random stream. */
export type Initialiser = (shape: Shape, random: Random) => HostTensor<"float32">;

/** Names that layers accept for what they initialise their weights with. */
export type InitialiserName = "he" | "glorot" | "zeros";

/** Inputs and outputs of one unit: [in, out] for dense weights, [out, in, …kernel] for convolutions. */
function fans(shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length === 2) return { fanIn: shape[0], fanOut: shape[1] };
  const field = shape.slice(2).reduce((product, extent) => product * extent, 1);
  return { fanIn: (shape[1] ?? 1) * field, fanOut: (shape[0] ?? 1) * field };
}

/** Normal with variance 2 / inputs, made for relu (He, Zhang, Ren, Sun 2015, eq. 10). */
export const he: Initialiser = (shape, random) => random.normal(shape, 0, Math.sqrt(2 / fans(shape).fanIn));

/** Uniform with variance 2 / (inputs + outputs), made for tanh and sigmoid (Glorot and Bengio 2010, eq. 16). */
export const glorot: Initialiser = (shape, random) => {
  const { fanIn, fanOut } = fans(shape);
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return random.uniform(shape, -limit, limit);
};

/** All zeros, as biases begin. */
export const allZeros: Initialiser = (shape) => zeros(shape);

/** All ones, as factors begin. */
export const allOnes: Initialiser = (shape) => full(shape, 1);

/** Initialisers by name. */
const initialisers: Readonly<Record<InitialiserName, Initialiser>> = { he, glorot, zeros: allZeros };

/**
 * The initialiser that a layer was given, by name or as a function.
 *
 * @throws Error naming the layer and what there is
 */
export function chooseInitialiser(layer: string, given: InitialiserName | Initialiser): Initialiser {
  const chosen = typeof given === "function" ? given : initialisers[given];
  if (chosen === undefined) {
    const known = Object.keys(initialisers).join(", ");
    throw new Error(`${layer}: the initialiser must be known, got ${String(given)}; use ${known} or a function`);
  }
  return chosen;
}

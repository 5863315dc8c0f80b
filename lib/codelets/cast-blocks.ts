import { codelet, type ElementType, elementBytes, input, output, type Target } from "../graph/index.ts";
import { allWorkers, checkVectors, sharedCodelet, type Vector } from "./support.ts";

/**
 * Lists of vectors in another type, element by element: numbers are rounded to the nearest half, or cut toward 0 to a
 * whole number.
 *
 * Cycles: 12 + W · (18 + 19 + 2 · ⌈⌈n / W⌉ / width⌉ + 2), after PopLibs' estimator of Cast1D from float to half, whose
 * width is four elements; with elements of four bytes on both sides it is two, as an assumption.
 */
export function castBlocks(from: ElementType, to: ElementType) {
  return sharedCodelet(`Cast<${from},${to}>`, () =>
    codelet(
      `Cast<${from},${to}>`,
      { in: input.vectors(from), out: output.vectors(to) },
      ({ in: given, out: written }) => {
        checkVectors({ in: given, out: written });
        for (const [place, out] of (written as readonly Vector[]).entries()) {
          const values = given[place];
          if (to === "int") for (let i = 0; i < out.length; i++) out[i] = wholeNumber(values[i]);
          else if (to === "bool") for (let i = 0; i < out.length; i++) out[i] = Number(values[i] !== 0);
          else for (let i = 0; i < out.length; i++) out[i] = values[i];
        }
      },
      ({ out: { elements } }, target) => castCycles(elements, from, to, target),
      allWorkers,
    ),
  );
}

/** The whole number nearest to 0, the largest or the smallest where there is none, and 0 for NaN. */
function wholeNumber(value: number): number {
  return Math.min(Math.max(Math.trunc(value) || 0, -(2 ** 31)), 2 ** 31 - 1);
}

/** What casting so many elements costs. */
export function castCycles(elements: number, from: ElementType, to: ElementType, { workersPerTile }: Target): number {
  const width = Math.min(elementBytes[from], elementBytes[to]) < 4 ? 4 : 2;
  const turns = Math.ceil(Math.ceil(elements / workersPerTile) / width);
  return 12 + workersPerTile * (18 + 19 + 2 * turns + 2);
}

import { formatCount } from "./format.ts";

/**
 * Refuses what is too much for a form: it would be neither readable nor fit into a notebook.
 *
 * @param subject the function that was asked, such as `plot.bars`
 * @param what is counted, in the plural
 * @param instead names what to use
 */
export function checkAmount(subject: string, what: string, got: number, most: number, instead: string): void {
  if (got <= most) return;
  throw new Error(`${subject}: at most ${formatCount(most)} ${what} can be drawn, got ${formatCount(got)}; ${instead}`);
}

/** Series that can still be told apart. */
export const mostSeries = 24;
/** Points of all series of a chart, which are stored one by one. */
export const mostPoints = 20_000;
/** Bars that have room side by side. */
export const mostBars = 200;
/** Rows of a confusion matrix whose cells have room for their numbers' colours and names. */
export const mostClasses = 64;
/** Pixels of all images of a grid. */
export const mostImagePixels = 400_000;
/** Layers of neurons side by side. */
export const mostNeuronLayers = 40;
/** Memories on one scale. */
export const mostMemories = 24;
/** Rows of a table that a page shows without a stutter; of longer ones the first and last are shown. */
export const mostTableRows = 500;

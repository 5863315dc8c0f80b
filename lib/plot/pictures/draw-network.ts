import { type Canvas, drawText, fontSize, type Picture, round } from "../look/canvas.ts";
import { textWidth } from "../look/font-metrics.ts";
import { formatCount, plural } from "../look/format.ts";
import type { Theme } from "../look/theme.ts";

const widest = 820;
/** Between two neurons of a layer. */
const spacing = 30;
const margin = 56;
/** A layer of more neurons is drawn by its first and last ones, with dots between. */
const mostDrawn = 11;

/** A network to be drawn: neurons of each layer, the inputs first. */
export interface NetworkDrawing {
  readonly title: string;
  readonly sizes: readonly number[];
}

/** `101,632 weights and 138 biases: 101,770 parameters.` */
function networkFacts({ sizes }: NetworkDrawing): string {
  const weights = sizes.slice(1).reduce((sum, size, index) => sum + size * sizes[index], 0);
  const biases = sizes.slice(1).reduce((sum, size) => sum + size, 0);
  return `${formatCount(weights)} weights and ${formatCount(biases)} biases: ${formatCount(weights + biases)} parameters.`;
}

/** The network in one line. */
export function networkSummary(network: NetworkDrawing): string {
  return `${network.title}: ${network.sizes.join("-")}, ${networkFacts(network)}`;
}

interface DrawnLayer {
  readonly size: number;
  readonly x: number;
  /** Heights of the neurons that are drawn. */
  readonly ys: readonly number[];
  /** Height of the dots that stand for all others, if there are any. */
  readonly dots: number | null;
}

/** Height of the tallest layer. */
function heightOf(sizes: readonly number[]): number {
  return (Math.min(mostDrawn, Math.max(...sizes)) - 1) * spacing + 24;
}

function placeLayers(sizes: readonly number[]): DrawnLayer[] {
  const step = Math.min(330, (widest - 2 * margin) / (sizes.length - 1));
  const plotHeight = heightOf(sizes);
  return sizes.map((size, index) => {
    const x = margin + index * step;
    const slots = Math.min(size, mostDrawn);
    const top = (plotHeight - (slots - 1) * spacing) / 2;
    const all = Array.from({ length: slots }, (_, slot) => top + slot * spacing);
    if (size <= mostDrawn) return { size, x, ys: all, dots: null };
    const middle = (slots - 1) / 2;
    return { size, x, ys: all.filter((_, slot) => Math.abs(slot - middle) >= 1), dots: all[middle] };
  });
}

/** The picture of a network, static or on a page. */
export function networkPicture(network: NetworkDrawing): Picture {
  const { title, sizes } = network;
  const layers = placeLayers(sizes);
  const hidden = layers.some(({ dots }) => dots !== null);
  const plotHeight = heightOf(sizes);
  return {
    title,
    subtitle: [
      networkFacts(network),
      `Every neuron reads all of the layer before it; the bright lines belong to the ${plural(sizes[0], "weight")} of one.`,
      hidden ? "Dots stand for neurons that are not drawn, with their lines." : "",
    ].join("\n"),
    width: Math.max(layers[layers.length - 1].x + margin, 460),
    draw(canvas, theme) {
      for (const [index, layer] of layers.slice(1).entries())
        drawWeights(canvas, layers[index], layer, index === 0, theme);
      for (const [index, layer] of layers.entries()) drawNeurons(canvas, layer, index, layers.length, theme);
      drawCounts(canvas, layers, plotHeight, theme);
      return plotHeight + 62;
    },
  };
}

function drawWeights(canvas: Canvas, from: DrawnLayer, to: DrawnLayer, first: boolean, theme: Theme): void {
  const line = (y1: number, y2: number): string => `M${round(from.x)} ${round(y1)}L${round(to.x)} ${round(y2)}`;
  const chosen = first ? to.ys[Math.floor((to.ys.length - 1) / 2)] : undefined;
  const plain = to.ys.filter((y) => y !== chosen).flatMap((y2) => from.ys.map((y1) => line(y1, y2)));
  canvas
    .append("path")
    .attr("d", plain.join(""))
    .attr("stroke", theme.columns.forward)
    .attr("stroke-opacity", 0.2)
    .attr("fill", "none");
  if (chosen === undefined) return;
  canvas
    .append("path")
    .attr("d", from.ys.map((y1) => line(y1, chosen)).join(""))
    .attr("stroke", theme.columns["input gradient"])
    .attr("stroke-width", 1.5)
    .attr("fill", "none");
}

function drawNeurons(canvas: Canvas, layer: DrawnLayer, index: number, count: number, theme: Theme): void {
  const kind = index === 0 ? "inputs" : index === count - 1 ? "weights" : "activations";
  const radius = Math.min(spacing * 0.34, (widest / count) * 0.2);
  for (const y of layer.ys) drawCircle(canvas, layer.x, y, radius, theme.categories[kind], theme.card);
  if (layer.dots === null) return;
  for (const shift of [-7, 0, 7]) drawCircle(canvas, layer.x, layer.dots + shift, 2, theme.muted, "none");
}

function drawCircle(canvas: Canvas, x: number, y: number, radius: number, fill: string, outline: string): void {
  canvas
    .append("circle")
    .attr("cx", round(x))
    .attr("cy", round(y))
    .attr("r", round(radius))
    .attr("fill", fill)
    .attr("stroke", outline)
    .attr("stroke-width", 1.5);
}

/** Neurons below the layers, weights between them, all in the longest wording that has room everywhere. */
function drawCounts(canvas: Canvas, layers: readonly DrawnLayer[], top: number, theme: Theme): void {
  const step = layers[1].x - layers[0].x;
  const nouns = layers.map((_, index) => (index === 0 ? "input" : index === layers.length - 1 ? "output" : "neuron"));
  const neurons = chooseWording(
    [layers.map(({ size }, index) => plural(size, nouns[index])), layers.map(({ size }) => formatCount(size))],
    (text) => textWidth(text, fontSize.heading, "semibold") <= Math.min(step - 8, 2 * margin),
  );
  layers.forEach(({ x }, index) => {
    const style = { size: fontSize.heading, weight: "semibold", fill: theme.text, anchor: "middle" } as const;
    drawText(canvas, neurons[index], x, top + 26, { ...style, maxWidth: Math.min(step, 2 * margin) });
  });
  const pairs = layers
    .slice(1)
    .map(({ size, x }, index) => ({ size, before: layers[index].size, x: (x + layers[index].x) / 2 }));
  const products = pairs.map(({ size, before }) => formatCount(size * before));
  const weights = chooseWording(
    [
      pairs.map(
        ({ size, before }, index) => `${formatCount(before)} × ${formatCount(size)} = ${products[index]} weights`,
      ),
      products.map((product) => `${product} weights`),
      products,
    ],
    (text) => textWidth(text, fontSize.small) <= step - 10,
  );
  pairs.forEach(({ x }, index) => {
    drawText(canvas, weights[index], x, top + 48, {
      size: fontSize.small,
      fill: theme.muted,
      anchor: "middle",
      maxWidth: step - 4,
    });
  });
}

/** The first wording of which every text fits, else the last. */
function chooseWording(wordings: readonly (readonly string[])[], fits: (text: string) => boolean): readonly string[] {
  return wordings.find((texts) => texts.every(fits)) ?? wordings[wordings.length - 1];
}

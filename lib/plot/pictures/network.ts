import type { Model } from "../../nn/index.ts";
import { Figure } from "../figure.ts";
import { plural } from "../look/format.ts";
import { checkAmount, mostNeuronLayers } from "../look/limits.ts";
import { tesseraMime } from "../mime.ts";
import { type NetworkDrawing, networkPicture, networkSummary } from "./draw-network.ts";

/**
 * Draws a network of dense layers the classical way: neurons as circles, a line for every weight.
 *
 * @param layers neurons of each layer, the inputs first, such as [784, 128, 10]; or a model of dense layers
 */
export function network(layers: readonly number[] | Model, options: { readonly title?: string } = {}): Figure {
  const sizes = "kind" in layers ? sizesOf(layers) : layers;
  const wrong = sizes.findIndex((size) => !Number.isInteger(size) || size < 1);
  if (sizes.length < 2 || wrong >= 0) {
    throw new Error(
      `plot.network: there must be at least two layers of at least one neuron, got [${sizes}]; give sizes such as [784, 128, 10]`,
    );
  }
  const instead = "use plot.graph of a compiled program, which folds";
  checkAmount("plot.network", "layers", sizes.length, mostNeuronLayers, instead);
  const title =
    options.title ??
    ("kind" in layers && layers.name !== "" ? layers.name : `A network of ${plural(sizes.length - 1, "layer")}`);
  const drawing: NetworkDrawing = { title, sizes };
  return new Figure({
    kind: "network",
    picture: networkPicture(drawing),
    summary: networkSummary(drawing),
    interactive: { mime: tesseraMime, data: drawing },
  });
}

/** The inputs, then the outputs of every layer that has parameters. */
function sizesOf(model: Model): number[] {
  const elements = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
  const odd = model.layers.find(({ parameters, output }) => parameters > 0 && output.length !== 1);
  if (odd) {
    throw new Error(
      `plot.network: neurons are drawn for dense layers only, got ${odd.label} (${odd.layer}); show the model's operator graph instead`,
    );
  }
  const trained = model.layers.filter(({ parameters }) => parameters > 0);
  return [elements(model.input), ...trained.map(({ output }) => elements(output))];
}

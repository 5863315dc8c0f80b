import type { GradientCheckReport } from "../checks/index.ts";
import type { Dataset } from "../formats/index.ts";
import type { Model } from "../nn/index.ts";
import type { HostTensor } from "../tensor/index.ts";
import type { Evaluation } from "../training/index.ts";
import { confusion } from "./charts/confusion.ts";
import type { Figure } from "./figure.ts";
import { formatPercent } from "./look/format.ts";
import { images } from "./pictures/images.ts";
import { type Table, table } from "./table.ts";

/** A model's layers: what each gives and how many parameters it has. */
export function modelTable(model: Model): Table {
  const shape = (extents: readonly number[]): string => extents.join(" × ") || "1";
  const rows = model.layers.map(({ layer, label, output, parameters }) => ({
    layer,
    what: label,
    output: shape(output),
    parameters: parameters.toLocaleString("en"),
  }));
  const count = model.parameterCount.toLocaleString("en");
  return table(
    rows,
    `${model.name}: ${shape(model.input)} → ${shape(model.output)}, ${count} parameters, seed ${model.seed}`,
  );
}

/** The first images of a data set with their labels; where samples are not images, what the data set holds. */
export function datasetFigure(dataset: Dataset): Figure | Table {
  const { name, inputs, targets } = dataset;
  if (inputs.shape.length === 3) return images(dataset);
  const shape = (tensor: HostTensor): string => `${tensor.dtype}[${tensor.shape}]`;
  return table([{ data: name, samples: inputs.shape[0], inputs: shape(inputs), targets: shape(targets) }]);
}

/** How a model answered a data set: which class it took for which, or the loss where there are no classes. */
export function evaluationFigure({
  title,
  dataset,
  samples,
  loss,
  error,
  confusion: matrix,
}: Evaluation): Figure | Table {
  if (matrix === undefined || error === undefined) return table([{ model: title, data: dataset, samples, loss }]);
  return confusion(matrix, { title: `${title} on ${dataset}: ${formatPercent(error)} wrong, loss ${loss.toFixed(4)}` });
}

/** Gradients beside central differences, the worst first. */
export function gradientCheckTable({ title, rows }: GradientCheckReport): Table {
  return table(
    rows.map(({ parameter, relativeError, checked }) => ({
      parameter,
      "relative error": relativeError.toExponential(1),
      "elements checked": checked,
    })),
    `${title}: gradients against central differences, float64`,
  );
}

import { Figure } from "../figure.ts";
import { formatCount, formatPercent, plural } from "../look/format.ts";
import { checkAmount, mostClasses } from "../look/limits.ts";
import { placeholder } from "../look/placeholder.ts";
import { axisFrom, type ChartOptions, chartFigure } from "./chart-figure.ts";

/** Labels and what was predicted for the same samples; classes are counted from 0. */
export interface Predictions {
  readonly labels: ArrayLike<number>;
  readonly predictions: ArrayLike<number>;
}

/**
 * Draws which classes are taken for which: a row for each true class, a column for each predicted one.
 *
 * @param answers labels and predictions, or the matrix itself: `matrix[label][prediction]` samples
 * @param options.classes names of the classes; without it their numbers
 */
export function confusion(
  answers: Predictions | readonly (readonly number[])[],
  options: ChartOptions & { readonly classes?: readonly string[] } = {},
): Figure {
  const matrix = "labels" in answers ? countAnswers(answers, options.classes?.length) : answers;
  const instead = "use plot.images([matrix.flat()]), a pixel for each pair of classes";
  checkAmount("plot.confusion", "classes", matrix.length, mostClasses, instead);
  const counted = matrix.map((row) => row.map((count) => (Number.isFinite(count) ? count : 0)));
  const total = counted.flat().reduce((sum, count) => sum + count, 0);
  const title = options.title ?? "Which class is taken for which";
  if (total === 0) {
    const message = "Nothing to draw: no samples.";
    return new Figure({ kind: "confusion", picture: placeholder(title, message), summary: `${title}: ${message}` });
  }
  const classes = options.classes ?? matrix.map((_, index) => String(index));
  const wrong = total - counted.reduce((sum, row, index) => sum + row[index], 0);
  let worst = { label: 0, prediction: 0, count: 0 };
  counted.forEach((row, label) => {
    row.forEach((count, prediction) => {
      if (label !== prediction && count > worst.count) worst = { label, prediction, count };
    });
  });
  const often =
    worst.count > 0
      ? ` Most often ${classes[worst.label]} is taken for ${classes[worst.prediction]} (${plural(worst.count, "time")}).`
      : "";
  const fact = `${formatCount(wrong)} of ${formatCount(total)} samples are wrong (${formatPercent(wrong / total)}).${often}`;
  const chart = {
    title,
    subtitle: options.subtitle ?? fact,
    panels: [
      {
        title: "",
        x: axisFrom(options.x ?? "predicted", { scale: "category" as const, categories: classes }),
        y: axisFrom(options.y ?? "true class", { scale: "category" as const, categories: classes }),
        marks: [{ kind: "matrix" as const, name: "samples", rows: classes, values: matrix, diagonal: true }],
      },
    ],
  };
  return chartFigure("confusion", chart, `${title}: ${fact}`);
}

function countAnswers({ labels, predictions }: Predictions, classes: number | undefined): number[][] {
  if (labels.length !== predictions.length) {
    throw new Error(
      `plot.confusion: there must be one prediction for each label, got ${labels.length} labels and ${predictions.length} predictions; take both from the same samples`,
    );
  }
  let size = classes ?? 0;
  for (const answers of [labels, predictions]) {
    for (let index = 0; index < answers.length; index++) {
      const answer = answers[index];
      if (!Number.isInteger(answer) || answer < 0 || (classes !== undefined && answer >= classes)) {
        throw new Error(
          `plot.confusion: classes must be whole numbers from 0${classes === undefined ? "" : ` to ${classes - 1}`}, got ${answer} (sample ${index}); give class numbers, not probabilities`,
        );
      }
      size = Math.max(size, answer + 1);
    }
  }
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (let index = 0; index < labels.length; index++) matrix[labels[index]][predictions[index]]++;
  return matrix;
}

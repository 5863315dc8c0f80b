import * as assert from "uvu/assert";
import { bars, confusion, curves, type Figure, histogram, line, scatter } from "../../../lib/plot/index.ts";
import { suite } from "../../support/suite.ts";
import { sampleHistory } from "./samples.ts";
import { assertSoundDrawing, pngSize } from "./svg.ts";

const test = suite("charts");

interface Trace {
  readonly type: string;
  readonly name: string;
  readonly x: readonly (number | string)[];
  readonly y: readonly (number | null)[];
  readonly z?: readonly (readonly number[])[];
  readonly fill?: string;
  readonly customdata?: readonly (readonly number[])[];
}

/** The traces of the chart's plotly form, as they come back from a notebook file. */
function tracesOf(figure: Figure): Trace[] {
  return (JSON.parse(JSON.stringify(figure.content.interactive!.data)) as { data: Trace[] }).data;
}

const seeds = [1, 2, 3];
const shallow = seeds.map((seed) => sampleHistory("shallow", seed, 0.017));
const deep = seeds.map((seed) => sampleHistory("deep", seed, 0.021));

test("curves of several seeds are their mean, in a band from the lowest to the highest", () => {
  const traces = tracesOf(curves({ shallow, deep }));
  const errors = traces.filter(({ name, fill }) => name === "deep" && fill === undefined);
  // Loss then error, for each the lower edge of the band and the line.
  assert.is(errors.length, 4);
  const [low, mean] = errors.slice(2);
  const [high] = traces.filter(({ name, fill }) => name === "deep" && fill === "tonexty").slice(1);
  for (const [index, epoch] of [1, 2, 3, 4, 5].entries()) {
    const values = deep.map(({ epochs }) => epochs[index].validationError!);
    assert.is(mean.x[index], epoch);
    assert.ok(Math.abs(mean.y[index]! - values.reduce((a, b) => a + b) / 3) < 1e-12);
    assert.is(low.y[index], Math.min(...values));
    assert.is(high.y[index], Math.max(...values));
  }
});

test("seeds that ended at different epochs count where they are", () => {
  const shorter = { ...shallow[0], epochs: shallow[0].epochs.slice(0, 2), interrupted: true };
  const [, , mean] = tracesOf(curves([shorter, shallow[1]]));
  assert.is(mean.y[4], shallow[1].epochs[4].loss);
  assert.ok(Math.abs(mean.y[0]! - (shallow[0].epochs[0].loss + shallow[1].epochs[0].loss) / 2) < 1e-12);
});

test("a single run shows the loss of its steps behind that of its epochs", () => {
  const run = shallow[0];
  const [steps, epochs] = tracesOf(curves(run));
  assert.match(steps.name, /mean of 2 steps/);
  const total = steps.y.reduce<number>((sum, value) => sum + 2 * value!, 0);
  assert.ok(Math.abs(total - run.stepLosses.reduce((a, b) => a + b)) < 1e-9 * total);
  assert.equal(
    epochs.y,
    run.epochs.map(({ loss }) => loss),
  );
});

test("a histogram counts every finite value once, in bins that hold the extremes", () => {
  const values = Array.from({ length: 5000 }, (_, index) => Math.sin(index * 12.9898) ** 3 * 4);
  const [trace] = tracesOf(histogram([...values, Number.NaN, Number.POSITIVE_INFINITY]));
  assert.is(
    trace.y.reduce<number>((sum, count) => sum + count!, 0),
    5000,
  );
  const constant = tracesOf(histogram([2, 2, 2]))[0];
  assert.equal(constant.y, [3]);
});

test("a confusion matrix counts each sample in the row of its label and the column of its prediction", () => {
  const figure = confusion({ labels: [0, 1, 1, 2, 2, 2], predictions: [0, 1, 0, 2, 1, 1] });
  assert.equal(tracesOf(figure)[0].customdata, [
    [1, 0, 0],
    [1, 1, 0],
    [0, 2, 1],
  ]);
  assert.match(figure.summary, /3 of 6 samples are wrong \(50\.0 %\)\. Most often 2 is taken for 1 \(2 times\)/);
});

test("bars stand for their categories in order, with a gap where a series has none", () => {
  const traces = tracesOf(bars({ weights: { shallow: 3, deep: 4 }, activations: { deep: 5 } }));
  assert.equal(
    traces.map(({ name, x, y }) => [name, x, y]),
    [
      ["weights", ["shallow", "deep"], [3, 4]],
      ["activations", ["shallow", "deep"], [null, 5]],
    ],
  );
});

test("a category that a series lacks is no missing value", async () => {
  const gap = await bars({ weights: { shallow: 3, deep: 4 }, activations: { deep: 5 } }).svg();
  assert.not.match(gap, /not drawn/);
  assert.match(await bars({ shallow: 3, deep: Number.NaN }).svg(), /1 value is not drawn/);
});

test("every chart is a sound drawing", async () => {
  const noise = Array.from({ length: 3000 }, (_, index) => Math.sin(index * 78.233) * Math.cos(index * 3.1));
  const charts: readonly Figure[] = [
    curves({ shallow, deep }),
    curves(shallow[0]),
    curves({ "one with a very long name that nobody should give to a run": shallow, deep }),
    line([3, 1, 4, 1, 5, 9, 2, 6]),
    line(
      {
        up: [
          [1, 1],
          [1024, 4096],
        ],
        down: [
          [1, 4096],
          [1024, 1],
        ],
      },
      { x: { label: "batch", scale: "log" }, y: { label: "memory", unit: "bytes", scale: "log" } },
    ),
    line({ tiny: [1e-9, 2e-9, 3e-9], negative: [-1e-9, -2e-9, 0] }, { y: "a value with a label" }),
    scatter(
      { x: [1, 2, 3], y: [3, 2, 1], labels: ["keep everything", "square root", "optimal"] },
      { x: "seconds", y: "peak" },
    ),
    bars({ shallow: 101_770, deep: 79_510 }, { y: "parameters" }),
    bars({ a: { x: 1, y: 2 }, b: { x: 3, y: -4 } }, { stacked: false }),
    bars({ weights: { x: 1, y: 2 }, activations: { x: 3, y: 4 } }, { stacked: true }),
    line(Object.fromEntries(Array.from({ length: 24 }, (_, index) => [`series ${index}`, [index, 2 * index]]))),
    histogram({ before: noise, after: noise.map((value) => value / 2) }, { x: "weight" }),
    confusion(
      [
        [990, 1, 0],
        [3, 1000, 7],
        [0, 2, 1010],
      ],
      { classes: ["cat", "dog", "hen"] },
    ),
  ];
  for (const chart of charts) {
    assertSoundDrawing(await chart.svg());
    assert.not.match(chart.summary, /\n|NaN|undefined/);
  }
});

test("values that are not finite leave gaps, and the caption counts them", async () => {
  const figure = line({ a: [1, Number.NaN, 3, Number.POSITIVE_INFINITY, 5] });
  assert.match(assertSoundDrawing(await figure.svg()).textContent!, /2 values are not drawn/);
  assert.equal(tracesOf(figure)[0].y, [1, null, 3, null, 5]);
});

test("nothing at all is a card that says so", async () => {
  const empty = [
    line([]),
    line({ a: [] }),
    scatter({ x: [], y: [] }),
    bars({}),
    histogram([]),
    histogram([Number.NaN]),
    confusion({ labels: [], predictions: [] }),
    curves({ ...shallow[0], epochs: [], stepLosses: [] }),
  ];
  for (const figure of empty) {
    assert.match(assertSoundDrawing(await figure.svg()).textContent!, /Nothing to draw/);
    assert.equal(Object.keys(await figure.bundle()), ["image/png", "text/plain"]);
  }
  assertSoundDrawing(await line([Number.NaN, Number.NaN]).svg());
});

test("what cannot be drawn is refused with what was given and what to give", () => {
  assert.throws(
    () => line({ a: { x: [1, 2], y: [1] } }),
    /plot\.line: x and y must be as long as each other, got 2 and 1 \(series "a"\)/,
  );
  assert.throws(() => confusion({ labels: [0], predictions: [0.5] }), /whole numbers from 0, got 0\.5 \(sample 0\)/);
  assert.throws(() => confusion({ labels: [0, 1], predictions: [0] }), /got 2 labels and 1 predictions/);
  assert.throws(() => curves({ a: [{} as never] }), /must be a training history, got object/);
});

test("the bundle of a chart is plotly's figure, a PNG and a line of text, and stays small", async () => {
  const bundle = await curves({ shallow, deep }).bundle();
  assert.equal(Object.keys(bundle), ["application/vnd.plotly.v1+json", "image/png", "text/plain"]);
  assert.is(pngSize(Buffer.from(bundle["image/png"] as string, "base64")).width, 2 * 900);
  assert.ok(JSON.stringify(bundle).length < 300_000);
});

test.run();

import * as assert from "uvu/assert";
import * as nn from "../../../lib/nn/index.ts";
import { Figure, figures, Table, table } from "../../../lib/plot/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("tables");

test("columns come in the order of their appearance, words to the left, numbers to the right", () => {
  const text = table(
    [
      { network: "shallow", parameters: 101770, error: "2.29 ± 0.04" },
      { network: "deep", parameters: 99710, error: "2.25 ± 0.23", note: "784 → 10" },
    ],
    "Results",
  ).toString();
  assert.equal(text.split("\n"), [
    "Results",
    "",
    "network  parameters        error  note",
    "───────  ──────────  ───────────  ────────",
    "shallow     101,770  2.29 ± 0.04  –",
    "deep         99,710  2.25 ± 0.23  784 → 10",
  ]);
});

test("HTML is escaped and carries the same cells", () => {
  const { "text/html": html, "text/plain": text } = table([{ "<b>": "a & b" }], '"quoted"').bundle();
  assert.match(html as string, ">&lt;b&gt;</th>");
  assert.match(html as string, "a &amp; b");
  assert.match(html as string, "&quot;quoted&quot;");
  assert.match(text as string, "a & b");
});

test("an empty table is an empty table", () => {
  assert.is(table([]).toString(), "\n");
});

test("a model shows itself as a table of layers with the sum of its parameters", () => {
  const model = nn.sequential([nn.flatten(), nn.dense(10)], { input: [28, 28], name: "small", seed: 4 });
  const shown = figures.model(model);
  assert.instance(shown, Table);
  assert.match(shown.toString(), "small: 28 × 28 → 10, 7,850 parameters, seed 4");
  assert.match(shown.toString(), /dense1 +dense\(10\) +10 +7,850/);
});

test("an evaluation of classes shows the confusion, one of values its loss", () => {
  const evaluation = { kind: "evaluation", title: "m", dataset: "d", samples: 4, loss: 0.5 } as const;
  assert.instance(figures.evaluation(evaluation), Table);
  const confusion = [
    [2, 0],
    [1, 1],
  ];
  const figure = figures.evaluation({ ...evaluation, error: 0.25, confusion });
  assert.instance(figure, Figure);
  assert.is(figure.title, "m on d: 25.0 % wrong, loss 0.5000");
});

test("a gradient check shows the worst parameter first", () => {
  const rows = [
    { parameter: "dense2.weight", relativeError: 3e-9, checked: 20 },
    { parameter: "dense1.weight", relativeError: 1e-10, checked: 20 },
  ];
  const shown = figures["gradient-check"]({ kind: "gradient-check", title: "m", rows, worst: 3e-9 });
  assert.match(shown.toString(), /dense2\.weight +3\.0e-9 +20\ndense1\.weight +1\.0e-10/);
});

test.run();

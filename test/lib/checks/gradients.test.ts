import * as assert from "uvu/assert";
import { checkGradients } from "../../../lib/checks/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { tensor } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("checking the gradients of a model");

const layers = (activation: () => nn.Layer): nn.Layer[] => [
  nn.flatten(),
  ...nn.repeat(3, [nn.dense(7), activation()]),
  nn.dense(4),
];

for (const [name, activation] of Object.entries({ tanh: nn.tanh, sigmoid: nn.sigmoid, softmax: nn.softmax })) {
  for (const loss of [nn.crossEntropy(), nn.meanSquaredError(), nn.meanSquaredError({ classes: true })]) {
    test(`a network of ${name} under ${loss.name}${loss.classes ? " of classes" : ""} is right to 1e-7`, () => {
      const model = nn.sequential(layers(activation), { input: [3, 3] });
      const report = checkGradients(model, { loss });
      assert.is(report.rows.length, 9, "eight parameters and the input");
      assert.ok(report.worst <= 1e-7, JSON.stringify(report.rows[0]));
    });
  }
}

test("a network of relu is right to 1e-4", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const report = checkGradients(nn.sequential(layers(nn.relu), { input: [3, 3], seed }), { seed });
    assert.ok(report.worst <= 1e-4, `seed ${seed}: ${JSON.stringify(report.rows[0])}`);
  }
});

test("a wrong gradient is found, and stands first", () => {
  const right = nn.sequential([nn.dense(4), nn.tanh(), nn.dense(4)], { input: [4] });
  // Each of two weights of one shape is said to have the other's gradient.
  const wrong: nn.Model = {
    ...right,
    build(builder, input) {
      const built = right.build(builder, input);
      const { parameters } = built;
      return { ...built, parameters: [parameters[2], parameters[1], parameters[0], parameters[3]] };
    },
  };
  const { rows, worst } = checkGradients(wrong);
  assert.ok(worst > 0.1);
  assert.is(rows[0].relativeError, worst);
  assert.equal(
    rows
      .slice(0, 2)
      .map((row) => row.parameter)
      .sort(),
    ["dense1.weight", "dense2.weight"],
  );
  assert.ok(rows[2].relativeError <= 1e-7);
});

test("a model without parameters is checked by its input, and one of row numbers without it", () => {
  const plain = nn.sequential([nn.flatten(), nn.tanh()], { input: [2, 3] });
  const { rows } = checkGradients(plain);
  assert.equal(
    rows.map(({ parameter, checked }) => [parameter, checked]),
    [["input", 20]],
  );
  assert.ok(rows[0].relativeError > 0 && rows[0].relativeError <= 1e-7);
  const words = nn.sequential([nn.embedding(6, 3), nn.lstm(4), nn.dense(2)], { input: [5] });
  const inputs = tensor([
    [0, 5, 3, 3, 1],
    [2, 2, 4, 0, 5],
  ]);
  const report = checkGradients(words, { inputs, checkInput: false });
  assert.is(report.rows.length, 7);
  assert.ok(report.worst <= 1e-7, String(report.worst));
  assert.throws(
    () => checkGradients(words, { inputs: tensor([[1]]) }),
    "checkGradients: inputs must be [batch, ...[5]]",
  );
});

test.run();

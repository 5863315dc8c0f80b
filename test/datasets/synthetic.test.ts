import * as assert from "uvu/assert";
import {
  addingProblem,
  firstSymbol,
  monomials,
  parity,
  type Split,
  spirals,
  splitDataset,
} from "../../datasets/index.ts";
import { type Dataset, sampleCount } from "../../lib/formats/index.ts";
import { formatType } from "../../lib/tensor/index.ts";
import { suite } from "../support/suite.ts";

const test = suite("synthetic data sets");

const types = ({ train, test: held }: Split): string[] =>
  [train, held].flatMap(({ inputs, targets }) => [formatType(inputs), formatType(targets)]);

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;

test("one seed gives the same samples, another one others, and train and test differ", () => {
  const makers: readonly ((seed: number) => Split)[] = [
    (seed) => parity({ seed, bits: 24 }),
    (seed) => parity({ seed }),
    (seed) => monomials({ seed }),
    (seed) => spirals({ seed }),
    (seed) => addingProblem({ seed }),
    (seed) => firstSymbol({ seed }),
  ];
  for (const make of makers) {
    const [one, same, other] = [make(3), make(3), make(4)];
    assert.equal(one, same);
    assert.not.equal(one.train.inputs.data, other.train.inputs.data);
    const short = Math.min(one.train.inputs.data.length, one.test.inputs.data.length);
    assert.not.equal(one.train.inputs.data.slice(0, short), one.test.inputs.data.slice(0, short));
  }
});

test("parity is whether the ones are odd, and no pattern comes twice", () => {
  const { train, test: held } = parity({ bits: 6, train: 40, test: 24 });
  assert.equal(types({ train, test: held }), ["float32[40,6]", "int32[40]", "float32[24,6]", "int32[24]"]);
  const seen = new Set<string>();
  for (const { inputs, targets } of [train, held]) {
    for (const [sample, odd] of targets.data.entries()) {
      const bits = inputs.data.slice(sample * 6, sample * 6 + 6);
      assert.is(bits.filter((bit) => bit === 1).length % 2, odd);
      seen.add(bits.join(""));
    }
  }
  assert.is(seen.size, 64, "all patterns there are");
  assert.equal(types(parity({ bits: 3 })).slice(0, 3), ["float32[6,3]", "int32[6]", "float32[2,3]"]);
  assert.throws(() => parity({ bits: 4, train: 15, test: 2 }), "got 15 + 2 of 16 (4 bits)");
  assert.throws(() => parity({ bits: 0 }), "bits must be a whole number ≥ 1, got 0");
});

test("products have mean 0 and variance 1, however many variables there are", () => {
  for (const variables of [1, 2, 5]) {
    const { train } = monomials({ variables, train: 40_000 });
    assert.equal(train.inputs.shape, [40_000, variables]);
    const product = (sample: number): number => {
      let result = 1;
      for (let i = 0; i < variables; i++) result *= train.inputs.data[sample * variables + i];
      return result;
    };
    for (const sample of [0, 17]) assert.ok(Math.abs(train.targets.data[sample] - product(sample)) < 1e-6);
    assert.ok(Math.abs(mean(train.targets.data)) < 0.05);
    const squares = Array.from(train.targets.data, (value) => value ** 2);
    assert.ok(Math.abs(mean(squares) - 1) < 0.1, `${variables} variables: ${mean(squares)}`);
  }
});

test("without noise a spiral's points lie on their arm", () => {
  const { train } = spirals({ arms: 3, turns: 2, noise: 0, train: 90 });
  assert.equal(train.classes, ["arm 1", "arm 2", "arm 3"]);
  for (let sample = 0; sample < 90; sample++) {
    const [x, y] = train.inputs.data.slice(2 * sample, 2 * sample + 2);
    const turns = Math.atan2(y, x) / (2 * Math.PI) - 2 * Math.hypot(x, y) - train.targets.data[sample] / 3;
    assert.ok(Math.abs(turns - Math.round(turns)) < 1e-5, `sample ${sample}: ${turns}`);
  }
  assert.throws(() => spirals({ turns: 0 }), "turns must be > 0 and noise ≥ 0, got 0 and 0.02");
});

test("the adding problem marks one number in each half; always answering 1 is wrong by 1/6", () => {
  const { train } = addingProblem({ length: 7, train: 20_000 });
  assert.equal(train.inputs.shape, [20_000, 7, 2]);
  for (let sample = 0; sample < 100; sample++) {
    const steps = Array.from({ length: 7 }, (_, step) =>
      train.inputs.data.slice((sample * 7 + step) * 2, (sample * 7 + step) * 2 + 2),
    );
    const marked = steps.flatMap(([, mark], step) => (mark === 1 ? [step] : []));
    assert.is(marked.length, 2);
    assert.ok(marked[0] < 3 && marked[1] >= 3);
    assert.is(train.targets.data[sample], Math.fround(steps[marked[0]][0] + steps[marked[1]][0]));
  }
  const errors = Array.from(train.targets.data, (sum) => (sum - 1) ** 2);
  assert.ok(Math.abs(mean(errors) - 1 / 6) < 0.005, String(mean(errors)));
  assert.throws(() => addingProblem({ length: 1 }), "length must be a whole number ≥ 2, got 1");
});

test("the class of a sequence of symbols is the first one", () => {
  const { train } = firstSymbol({ length: 5, symbols: 3, train: 300 });
  assert.equal(types(firstSymbol({ length: 5, symbols: 3 }))[0], "float32[1000,5,3]");
  for (let sample = 0; sample < 300; sample++) {
    const first = train.inputs.data.slice(sample * 15, sample * 15 + 3);
    assert.is(first.indexOf(1), train.targets.data[sample]);
  }
  assert.is(mean(train.inputs.data).toFixed(6), (1 / 3).toFixed(6), "each step has one symbol");
});

test("a data set is divided without losing or doubling a sample", () => {
  const whole: Dataset = { ...spirals({ train: 50, noise: 0 }).train, name: "all" };
  const { train, test: held } = splitDataset(whole, { test: 0.3, seed: 5 });
  assert.equal([sampleCount(train), sampleCount(held), train.name], [35, 15, "all, train"]);
  const points = (part: Dataset): string[] =>
    Array.from(part.targets.data, (label, sample) => `${label} ${part.inputs.data.slice(2 * sample, 2 * sample + 2)}`);
  assert.equal([...points(train), ...points(held)].sort(), points(whole).sort());
  assert.equal(sampleCount(splitDataset(whole, { test: 7 }).test), 7);
  assert.throws(() => splitDataset(whole, { test: 50 }), "got 50 for the test of 50 (in all)");
  assert.throws(() => splitDataset(whole, { test: 0.001 }), "both parts must have samples");
});

test.run();

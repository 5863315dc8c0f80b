import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "../support/suite.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { type Experiment, judge, readResults, resultsFolder, runExperiment, summarise } from "./experiment.ts";
import { experiments } from "./registry.ts";

const test = suite("long experiments");

/** Outcomes are 3, 5, 10 for the seeds 1, 2, 3; remembers what was asked for, and fails where told to. */
function sample(asked: string[], change: Partial<Experiment> = {}, failAt = ""): Experiment {
  return {
    name: "sample",
    question: "What is it?",
    variants: { small: { width: 1 }, large: { width: 2 } },
    claims: [],
    seeds: [1, 2, 3],
    async run(variant, seed) {
      const key = `${variant} ${seed}`;
      if (key === failAt) throw new Error("stopped");
      asked.push(key);
      return { figures: { error: [3, 5, 10][seed - 1] }, curves: { error: [9, seed] } };
    },
    ...change,
  };
}

test("every seed of every variant is run once, and stored as soon as it is there", async () => {
  const folder = temporaryFolder();
  const asked: string[] = [];
  try {
    await runExperiment(sample(asked, {}, "large 2"), { folder });
    assert.unreachable("the run should have been stopped");
  } catch (error) {
    assert.is((error as Error).message, "stopped");
  }
  assert.equal(readResults("sample", folder)?.variants.large.runs.length, 1);
  const results = await runExperiment(sample(asked), { folder });
  assert.equal(asked, ["small 1", "small 2", "small 3", "large 1", "large 2", "large 3"]);
  assert.equal(readResults("sample", folder), results);
});

test("the mean and the deviation of a sample are those of a textbook", async () => {
  const folder = temporaryFolder();
  const { variants } = await runExperiment(sample([]), { folder });
  // 3, 5, 10: mean 6, squares 9 + 1 + 16 over n − 1 = 2.
  assert.equal(variants.small.summary, { error: { mean: 6, deviation: Math.sqrt(13), seeds: 3 } });
});

test("outcomes of a recipe that has changed are dropped, those of the other variants stay", async () => {
  const folder = temporaryFolder();
  await runExperiment(sample([]), { folder });
  const asked: string[] = [];
  await runExperiment(sample(asked, { variants: { small: { width: 1 }, large: { width: 3 } } }), { folder });
  assert.equal(asked, ["large 1", "large 2", "large 3"]);
});

test("some variants and seeds can be asked for, unknown ones are named", async () => {
  const folder = temporaryFolder();
  const asked: string[] = [];
  await runExperiment(sample(asked), { folder, variants: ["large"], seeds: [3, 1] });
  assert.equal(asked, ["large 3", "large 1"]);
  assert.equal(
    readResults("sample", folder)?.variants.large.runs.map(({ seed }) => seed),
    [1, 3],
  );
  try {
    await runExperiment(sample(asked), { folder, variants: ["huge"] });
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, 'got "huge"; there are small, large');
  }
});

test("a claim holds, is missed, or has not been measured", async () => {
  const folder = temporaryFolder();
  const results = await runExperiment(sample([]), { folder, variants: ["small"] });
  const claim = { variant: "small", figure: "error", source: "nobody" } as const;
  assert.ok(judge({ ...claim, rule: "below", target: 6 }, results).holds);
  assert.not(judge({ ...claim, rule: "below", target: 5.9 }, results).holds);
  assert.ok(judge({ ...claim, rule: "near", target: 7, tolerance: 1 }, results).holds);
  const good = judge({ ...claim, rule: "near", target: 8, tolerance: 1 }, results);
  assert.equal(good, {
    holds: false,
    text: "small: error 6.000 ± 3.6 over 3 seeds, wanted 8 ± 1 (nobody): missed",
  });
  assert.not(judge({ ...claim, variant: "large", rule: "below", target: 9 }, results).holds);
});

test("a file for what a run saves is given, and is gone once its outcome is stored", async () => {
  const folder = temporaryFolder();
  const files: string[] = [];
  const run: Experiment["run"] = async (_, seed, checkpoint) => {
    assert.not(existsSync(checkpoint));
    writeFileSync(checkpoint, "half-way");
    files.push(checkpoint);
    return { figures: { error: seed }, curves: {} };
  };
  await runExperiment(sample([], { run, name: `sample-${process.pid}` }), { folder });
  assert.is(new Set(files).size, 6);
  assert.not(files.some(existsSync));
});

test("what is stored was computed by the recipes as they are, and its summaries are those of its runs", async () => {
  for (const file of readdirSync(resultsFolder)) {
    const load = experiments[basename(file, ".json")];
    assert.ok(load, `${file} belongs to no experiment`);
    const { experiment } = await load();
    const results = readResults(experiment.name);
    for (const [variant, { recipe, runs, summary }] of Object.entries(results?.variants ?? {})) {
      assert.equal(recipe, experiment.variants[variant], `${file}: ${variant}`);
      assert.equal(summary, summarise(runs), `${file}: ${variant}`);
    }
  }
});

test("a hundred layers trained in the memory of nine lost the same at every step, to the bit", () => {
  const variants = readResults("deep-in-little-memory")?.variants;
  const [plain, small] = [variants?.unconstrained.runs[0], variants?.constrained.runs[0]];
  assert.ok(plain !== undefined && small !== undefined && plain.curves.stepLoss.length === 8 * 59);
  assert.equal(small.curves.stepLoss, plain.curves.stepLoss);
  assert.ok(small.figures.activationBytes <= small.figures.budgetBytes && small.figures.testError <= 0.04);
});

test.run();

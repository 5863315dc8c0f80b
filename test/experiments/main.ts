// Long experiments: `npm run experiment -- NAME [--variant NAME] [--seeds 1,2,3]`. Outcomes are stored seed by seed as JSON
// in notebooks/results, beside the notebooks that show them; what is there already is not computed again.
import { parseArgs } from "node:util";
import { judge, runExperiment } from "./experiment.ts";
import { experiments } from "./registry.ts";

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { variant: { type: "string", multiple: true }, seeds: { type: "string" } },
  });
  const [name] = positionals;
  const load = Object.hasOwn(experiments, name ?? "") ? experiments[name] : undefined;
  if (load === undefined || positionals.length !== 1) {
    const known = Object.keys(experiments).join(", ");
    console.error(`experiment: one must be named, got "${positionals.join(" ")}"; there are ${known}`);
    return 1;
  }
  const seeds = values.seeds?.split(",").map(Number);
  if (seeds?.some((seed) => !Number.isSafeInteger(seed) || seed < 0)) {
    console.error(`experiment: seeds must be whole numbers ≥ 0, got ${values.seeds}; write --seeds 1,2,3`);
    return 1;
  }
  const { experiment } = await load();
  console.log(experiment.question);
  const results = await runExperiment(experiment, {
    ...(values.variant === undefined ? {} : { variants: values.variant }),
    ...(seeds === undefined ? {} : { seeds }),
    say: (line) => console.log(line),
  });
  const judged = experiment.claims.map((claim) => judge(claim, results));
  for (const { text } of judged) console.log(text);
  return judged.every(({ holds }) => holds) ? 0 : 1;
}

process.exitCode = await main();

// Asks PyTorch itself: `npm run oracle [-- --store]`. Compares its losses with ours and with the stored ones; `--store`
// writes them. Needs a Python with torch at TESSERA_PYTHON or in .venv.
import { parseArgs } from "node:util";
import { writeFileAtomically } from "../../lib/formats/index.ts";
import { findPython } from "../support/environment.ts";
import { cases, largestDifference, lossesOf } from "./cases.ts";
import { liveLosses, storedFile, storedLosses } from "./torch-losses.ts";

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { store: { type: "boolean" } } });
  const found = findPython("torch");
  if ("missing" in found) {
    console.error(`oracle: PyTorch must be there, got ${found.missing}; run pip install torch==2.13.0`);
    return 1;
  }
  const live = liveLosses(found.python);
  if (values.store)
    await writeFileAtomically(storedFile, new TextEncoder().encode(`${JSON.stringify(live, null, 2)}\n`));
  const stored = storedLosses();
  console.log(`PyTorch ${live.torch}, stored ${stored.torch}: largest relative differences of ten losses`);
  let good = true;
  for (const name of cases) {
    const differences = {
      stored: largestDifference(stored.losses[name], live.losses[name]),
      wasm: largestDifference(await lossesOf(name, { engine: "wasm", threads: 2 }), live.losses[name]),
      reference: largestDifference(await lossesOf(name, { engine: "reference" }), live.losses[name]),
    };
    good &&= Object.values(differences).every((difference) => difference <= 1e-4);
    const text = Object.entries(differences).map(([of, difference]) => `${of} ${difference.toExponential(1)}`);
    console.log(`  ${name.padEnd(22)} ${text.join("   ")}`);
  }
  console.log(good ? "all within 1e-4" : "oracle: some difference is above 1e-4");
  return good ? 0 : 1;
}

process.exitCode = await main();

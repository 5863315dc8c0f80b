import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Figures } from "./benchmark.ts";
import { batch } from "./training-step.ts";

const script = join(import.meta.dirname, "../../../test/bench/tfjs-steps.mjs");

/** What the script prints of each network. */
type Steps = Readonly<Record<string, { readonly seconds: number; readonly backend: string }>>;

/**
 * The figures of `trainingFigures` on TensorFlow.js, which is installed in a folder of its own, outside of this project:
 * `npm install @tensorflow/tfjs@4 @tensorflow/tfjs-backend-wasm@4` there, and its path in `TESSERA_TFJS`. Its package for
 * Node is no peer, since it downloads what it needs while it is installed.
 *
 * @returns its figures, or the reason why there are none
 */
export function tfjsPeer(networks: readonly string[]): Figures | string {
  const folder = process.env.TESSERA_TFJS ?? "";
  if (folder === "") return "absent: no folder in TESSERA_TFJS";
  for (const needed of ["tfjs", "tfjs-backend-wasm"]) {
    if (!existsSync(join(folder, "node_modules/@tensorflow", needed))) return `absent: ${folder} has no ${needed}`;
  }
  const figures: Record<string, number> = {};
  const note = (name: string, word: string, { seconds }: Steps[string]): void => {
    figures[`${name}${word}StepSeconds`] = seconds;
    figures[`${name}${word}SamplesPerSecond`] = batch / seconds;
  };
  const steps = run(folder, 1, networks);
  for (const [name, step] of Object.entries(steps)) note(name, "OneThread", step);
  // What runs on the backend of one thread takes seconds a step, and no other time with two.
  const threaded = networks.filter((name) => steps[name]?.backend === "wasm");
  const onTwo = threaded.length === 0 ? {} : run(folder, 2, threaded);
  for (const [name, step] of Object.entries({ ...steps, ...onTwo })) note(name, "TwoThreads", step);
  return figures;
}

function run(folder: string, threads: number, networks: readonly string[]): Steps {
  const output = execFileSync(process.execPath, [script, folder, String(threads), ...networks], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(output.trim().split("\n").at(-1) as string) as Steps;
}

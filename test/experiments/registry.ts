import type { Experiment } from "./experiment.ts";

/** Every experiment by name: a file each, loaded when asked for. */
export const experiments: Readonly<Record<string, () => Promise<{ readonly experiment: Experiment }>>> = {
  "deep-in-little-memory": () => import("./deep-in-little-memory.ts"),
  "lenet5-mnist": () => import("./lenet5-mnist.ts"),
  "nielsen-depth": () => import("./nielsen-depth.ts"),
  pretraining: () => import("./pretraining.ts"),
  "published-mnist": () => import("./published-mnist.ts"),
};

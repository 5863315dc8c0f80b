import { type MemoryStrategy, sameBits } from "./strategy.ts";

/** Gives every value bytes of its own to the end of the step: what the others are compared with. */
export const keepEverything: MemoryStrategy = {
  name: "keep-everything",
  summary: "gives every value bytes of its own to the end of the step: what the others are compared with",
  storage: "apart",
  results: sameBits,
  plan: ({ graph }) => ({ graph, reason: "" }),
};

import { type MemoryStrategy, sameBits } from "./strategy.ts";

/** Uses bytes again as soon as nobody needs what is in them, in the same step: the default. */
export const reuse: MemoryStrategy = {
  name: "reuse",
  summary: "uses bytes again as soon as nobody needs what is in them, in the same step: the default",
  storage: "reused",
  results: sameBits,
  plan: ({ graph }) => ({ graph, reason: "" }),
};

import { type MemoryStrategy, sameBits } from "./strategy.ts";

/** Lets element-wise results overwrite operands that nobody needs any more, and reuses nothing else. */
export const inPlaceOnly: MemoryStrategy = {
  name: "in-place",
  summary: "lets element-wise results overwrite operands that nobody needs any more, and reuses nothing else",
  storage: "in place",
  results: sameBits,
  plan: ({ graph }) => ({ graph, reason: "" }),
};

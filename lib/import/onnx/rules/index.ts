import { arrangementRules } from "./arrangement.ts";
import { elementwiseRules } from "./elementwise.ts";
import { gatherRules } from "./gather.ts";
import { knownRules } from "./known.ts";
import { planeRules } from "./planes.ts";
import { poolingRules } from "./pooling.ts";
import { recurrentRules } from "./recurrent.ts";
import { resizeRules } from "./resize.ts";
import { roundingRules } from "./rounding.ts";
import { rowRules } from "./rows.ts";
import type { Rule } from "./rule.ts";
import { truthRules } from "./truth.ts";

/** The rule of each operator of ONNX that can be imported, by its name. Without a prototype: files name anything. */
export const rules: Readonly<Record<string, Rule>> = Object.assign(Object.create(null), {
  ...arrangementRules,
  ...elementwiseRules,
  ...gatherRules,
  ...knownRules,
  ...planeRules,
  ...poolingRules,
  ...recurrentRules,
  ...resizeRules,
  ...roundingRules,
  ...rowRules,
  ...truthRules,
});

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rules } from "../../lib/import/onnx/rules/index.ts";
import { projectRoot } from "./environment.ts";
import { type NodeTestResult, readNodeTests, runNodeTest } from "./onnx-node-tests.ts";

// The table of node tests in lib/import/README.md, made by running them. `npm run onnx-table` writes it.

const readme = join(projectRoot, "lib/import/README.md");
const begin = "<!-- node tests: npm run onnx-table -->";
const end = "<!-- /node tests -->";

/** Every node test of the onnx package that a Python has, written into a folder and run. */
export interface NodeTestRun {
  /** The package's version. */
  readonly onnx: string;
  readonly results: readonly NodeTestResult[];
  /** How many cases the runner leaves out, by reason. */
  readonly leftOut: Readonly<Record<string, string>>;
}

export async function runNodeTests(python: string, folder: string): Promise<NodeTestRun> {
  const script = join(projectRoot, "test/fixtures/onnx/node_tests.py");
  const { status, stderr } = spawnSync(python, ["-W", "ignore", script, folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(`node_tests.py: must write the cases, got exit code ${status}: ${stderr}`);
  const { onnx, cases, leftOut } = readNodeTests(folder);
  const results: NodeTestResult[] = [];
  for (const [name, tolerance] of Object.entries(cases)) results.push(await runNodeTest(folder, name, tolerance));
  return { onnx, results, leftOut };
}

/** What a refusal says, without file, node and what was got. */
function inShort(reason: string): string {
  const rule = reason.replace(/, got .*/s, "").replace(/^.*?\): /s, "");
  return rule.replace(/^[\w./-]+: /, "").replace(/ \(C\d+\)$/, "");
}

function countReasons(results: readonly NodeTestResult[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of results) counts.set(inShort(reason), (counts.get(inShort(reason)) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${count}: ${reason}`)
    .join("; ");
}

/** The table between its two marks, as lib/import/README.md should have it. */
export function nodeTableText({ onnx, results, leftOut }: NodeTestRun): string {
  const bodies = results.filter(({ name }) => name.includes("_expanded"));
  const single = results.filter((result) => !bodies.includes(result));
  const count = (of: readonly NodeTestResult[], outcome: NodeTestResult["outcome"]): number =>
    of.filter((result) => result.outcome === outcome).length;
  const rows = Object.keys(rules)
    .sort((a, b) => a.localeCompare(b, "en"))
    .map((operator) => {
      const own = single.filter(({ operators, outcome }) => operators.includes(operator) && outcome !== "absent");
      const refused = own.filter(({ outcome }) => outcome === "refused");
      return `| ${operator} | ${count(own, "passed")} | ${count(own, "wrong")} | ${refused.length === 0 ? "–" : countReasons(refused)} |`;
    });
  const absent = new Map<string, number>();
  for (const { outcome, reason } of single) {
    if (outcome === "absent")
      for (const operator of reason.split(", ")) absent.set(operator, (absent.get(operator) ?? 0) + 1);
  }
  const others = [...absent]
    .sort(([a], [b]) => a.localeCompare(b, "en"))
    .map(([operator, cases]) => `${operator} (${cases})`);
  const sentence = (of: readonly NodeTestResult[]): string =>
    `${count(of, "passed")} pass on both engines, ${count(of, "wrong")} give other numbers, ${count(of, "refused")} are refused, ${count(of, "absent")} need an operator without a rule`;
  return [
    begin,
    "",
    `Of onnx ${onnx}'s ${single.length} cases of one operator ${sentence(single)}. Of its ${bodies.length} bodies of functions ${sentence(bodies)}, and ${count(bodies, "near")} in 16 bits are farther off than the suite allows, by at most four steps of the format: it rounds at every step, and here floats are rounded at the end. Left out are ${Object.keys(leftOut).length} cases of other domains, or of sequences, options and strings.`,
    "",
    "| operator | pass | wrong | refused |",
    "|---|---|---|---|",
    ...rows,
    "",
    `Without a rule, with their cases: ${others.join(", ")}.`,
    "",
    end,
  ].join("\n");
}

/** The table as lib/import/README.md has it. */
export function nodeTableInReadme(): string {
  const text = readFileSync(readme, "utf8");
  return text.slice(text.indexOf(begin), text.indexOf(end) + end.length);
}

/** Puts the table of today into lib/import/README.md. */
export function writeNodeTable(run: NodeTestRun): void {
  const text = readFileSync(readme, "utf8");
  writeFileSync(
    readme,
    text.replace(nodeTableInReadme(), () => nodeTableText(run)),
  );
}

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hasLoops } from "../../lib/loops/index.ts";
import { tilesOf } from "../../lib/lowering/index.ts";
import { type OperatorName, operatorTable } from "../../lib/ops/index.ts";

// The table of operators in lib/README.md, made from what the code declares. `npm run operators` writes it.

const readme = fileURLToPath(new URL("../../../lib/README.md", import.meta.url));
const begin = "<!-- operators: npm run operators -->";
const end = "<!-- /operators -->";

function row(name: OperatorName): string {
  const { summary, gradient, compute } = operatorTable[name];
  const yes = (holds: boolean): string => (holds ? "yes" : "–");
  // What is between bars would end a cell.
  return `| \`${name}\` | ${summary.replaceAll("|", "\\|")} | ${yes(gradient !== null)} | ${yes(compute !== undefined)} | ${yes(hasLoops(name))} | ${tilesOf(name)} |`;
}

/** The table between its two marks, as lib/README.md should have it. */
export function operatorTableText(): string {
  const rows = (Object.keys(operatorTable) as OperatorName[]).map(row);
  return [
    begin,
    "",
    "| operator | gives | gradient | reference | wasm | tiles |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
    end,
  ].join("\n");
}

/** The table as lib/README.md has it. */
export function operatorTableInReadme(): string {
  const text = readFileSync(readme, "utf8");
  return text.slice(text.indexOf(begin), text.indexOf(end) + end.length);
}

/** Puts the table of today into lib/README.md. */
export function writeOperatorTable(): void {
  writeFileSync(
    readme,
    readFileSync(readme, "utf8").replace(operatorTableInReadme(), () => operatorTableText()),
  );
}

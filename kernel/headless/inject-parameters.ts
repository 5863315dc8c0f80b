// Apart from what reads parameters: this loads the compiler, which takes longer than a short notebook.
import ts from "typescript";
import { LanguageProcess } from "../language/index.ts";
import type { Json } from "../protocol/index.ts";
import { languageOptions } from "../session/index.ts";
import { BadInput } from "./bad-input.ts";
import { type CodeCell, type Notebook, tagsOf } from "./notebook.ts";
import type { Parameters } from "./parameters.ts";

/** The tag of the cell that a run puts behind the one tagged `parameters`; the same as papermill's. */
const injectedTag = "injected-parameters";

/** One top-level variable of the parameters cell. */
interface Declared {
  readonly keyword: "const" | "let" | "var";
  /** The type as it was written, if it was. */
  readonly type: string | undefined;
  readonly initializer: string | undefined;
}

/**
 * Gives a notebook its parameters: a cell with their values stands behind the one tagged `parameters`, declared as there.
 * Names and types are checked by the compiler, against all cells up to that one, before anything runs.
 *
 * @param path names the notebook in errors
 * @param folder the notebook's folder, from which its imports are resolved
 * @throws BadInput when there is no such cell, or a name or value does not fit it
 */
export async function withParameters(
  notebook: Notebook,
  values: Parameters,
  path: string,
  folder: string,
): Promise<Notebook> {
  const cells = notebook.cells.filter((cell) => !tagsOf(cell).includes(injectedTag));
  const at = cells.findIndex((cell) => cell.cell_type === "code" && tagsOf(cell).includes("parameters"));
  if (at < 0) {
    throw new BadInput(
      `parameters: the notebook must have a cell for them, got none (${path}), tag the cell that declares them with "parameters"`,
    );
  }
  const declared = declarationsIn(cells[at].source);
  const unknown = Object.keys(values).find((name) => !declared.has(name));
  if (unknown !== undefined) {
    const known = [...declared.keys()].join(", ") || "none";
    throw new BadInput(`parameter: must be one of ${known}, got ${unknown} (${path}), correct the name`);
  }
  await checkTypes(cells.slice(0, at + 1), declared, values, path, folder);
  const source = Object.entries(values).map(([name, value]) => {
    const { keyword, type } = declared.get(name) as Declared;
    return `${keyword} ${name}${type === undefined ? "" : `: ${type}`} = ${literal(value as Json)}`;
  });
  const injected: CodeCell = {
    cell_type: "code",
    // Cell ids exist from nbformat 4.5 on.
    ...(cells[at].id !== undefined && { id: `${cells[at].id.slice(0, 50)}-injected` }),
    source: ["// Parameters", ...source].join("\n"),
    metadata: { tags: [injectedTag] },
    execution_count: null,
    outputs: [],
  };
  return { ...notebook, cells: [...cells.slice(0, at + 1), injected, ...cells.slice(at + 1)] };
}

function literal(value: Json): string {
  return JSON.stringify(value);
}

function declarationsIn(source: string): ReadonlyMap<string, Declared> {
  const file = ts.createSourceFile("parameters.ts", source, ts.ScriptTarget.Latest, true);
  const found = new Map<string, Declared>();
  for (const statement of file.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    const { declarationList: list } = statement;
    const keyword = list.flags & ts.NodeFlags.Const ? "const" : list.flags & ts.NodeFlags.Let ? "let" : "var";
    for (const { name, type, initializer } of list.declarations) {
      if (!ts.isIdentifier(name)) continue;
      found.set(name.text, { keyword, type: type?.getText(file), initializer: initializer?.getText(file) });
    }
  }
  return found;
}

/** Asks the compiler, for each value, whether the variable could have been declared with it. */
async function checkTypes(
  before: Notebook["cells"],
  declared: ReadonlyMap<string, Declared>,
  values: Parameters,
  path: string,
  folder: string,
): Promise<void> {
  const language = new LanguageProcess(languageOptions(folder));
  try {
    for (const [index, cell] of before.entries()) {
      if (cell.cell_type === "code") await language.ask("check", { code: cell.source, name: `cell${index + 1}.ts` });
    }
    const refused: string[] = [];
    for (const [name, value] of Object.entries(values)) {
      const { type, initializer } = declared.get(name) as Declared;
      // Without a type of its own the variable has its value's, widened as that of `let` is.
      const widened = initializer === undefined ? "" : ` = ${initializer}`;
      const code =
        type === undefined
          ? `{ let parameter${widened}\nparameter = ${literal(value as Json)} }`
          : `{ let parameter: ${type}\nparameter = ${literal(value as Json)} }`;
      const checked = await language.ask("check", { code, name: "parameters.ts" });
      if (checked.status === "ok") continue;
      const [{ message, code: number }] = checked.diagnostics;
      const rule = `parameter ${name}: must be ${type ?? `of the type of ${initializer}`}`;
      refused.push(`${rule}, got ${literal(value as Json)} (${path}), ${firstLine(message)} (TS${number})`);
    }
    if (refused.length > 0) throw new BadInput(refused.join("\n"));
  } finally {
    await language.close();
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0].replace(/\.$/, "");
}

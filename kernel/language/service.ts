import { dirname } from "node:path";
import ts from "typescript";
import { Cells } from "./cells.ts";
import { completenessOf } from "./completeness.ts";
import { importedNames, withoutExports } from "./declarations.ts";
import { describeDiagnostic, type ModuleNames, readable } from "./diagnostics.ts";
import { Emitter } from "./emit.ts";
import type { TypeScript } from "./internals.ts";
import type { CheckedCell, Language, LanguageOptions } from "./messages.ts";
import { ModuleProgram } from "./modules.ts";
import { parseCell } from "./parse.ts";
import { completeString, stringAt } from "./strings.ts";
import { transformCell } from "./transform.ts";
import { type LoadTslab, openConverter } from "./tslab.ts";
import { memberBefore, valueAt } from "./value-path.ts";

/** Opens the compiler on one notebook. Takes about a second where it does not start from a snapshot. */
export function createLanguage(load: LoadTslab, options: LanguageOptions, stock: ts.System = ts.sys): Language {
  const typescript = ts as TypeScript;
  const { workingDirectory, preloaded, typeRoot } = options;
  const declarationsOf = (path: string): string => path.replace(/\.js$/, ".d.ts");
  const paths = Object.fromEntries(
    Object.entries(options.modules).map(([name, path]) => [name, [declarationsOf(path)]]),
  );
  const system: ts.System = { ...stock, useCaseSensitiveFileNames: true, getCurrentDirectory: () => workingDirectory };
  const modules = new ModuleProgram(typescript, { workingDirectory, typeRoot, modules: paths, preloaded, system });
  const cells = new Cells(typescript, modules, workingDirectory);
  const opened = openConverter(typescript, load, cells, modules.host, system);
  const emitter = new Emitter();
  const names: ModuleNames = {
    namespaces: modules.namespaces,
    folders: new Map([
      ...preloaded.map((path): [string, string] => [`${dirname(dirname(path))}/`, ""]),
      [`${workingDirectory}/`, "."],
    ]),
  };

  return {
    check({ code, name }): CheckedCell {
      const broken = parseCell(code);
      if (broken.parseDiagnostics.length > 0) {
        const diagnostics = broken.parseDiagnostics.map((found) => describeDiagnostic(found, broken, workingDirectory));
        return { status: "error", diagnostics };
      }
      const cell = cells.open(withoutExports(code), name);
      const mistakes = cells
        .check(cell)
        .filter(({ category }) => category === ts.DiagnosticCategory.Error)
        .map((found) => describeDiagnostic(found, cell, workingDirectory))
        // A file above the working directory is somebody else's.
        .filter(({ file }) => !file?.startsWith(".."))
        .map((found) => ({ ...found, message: readable(found.message, names) }));
      if (mistakes.length > 0) {
        cells.refuse(cell);
        return { status: "error", diagnostics: mistakes };
      }
      cells.accept(cell);
      return { status: "ok", ...transformCell(emitter, code, name) };
    },
    translate: ({ code, name }) => ({ status: "ok", ...transformCell(emitter, code, name) }),
    complete({ code, position }) {
      const string = stringAt(code, position);
      // A module that is just being named does not exist yet.
      cells.update(importedNames(code).filter((name) => !(string?.namesModule && name === string.text)));
      const { start, end, candidates, original } = opened.converter.complete("", code, position);
      const known = original?.entries ?? [];
      const member = known.length === 0 ? memberBefore(code, position) : undefined;
      if (member !== undefined) {
        const { path, quoted, start } = member;
        return { start, end: position, matches: [], membersOf: { path, quoted } };
      }
      if (string !== undefined) return completeString(string, known, system);
      const kinds = new Map(original?.entries.map(({ name, kind }) => [name, kind]));
      return { start, end, matches: candidates.map((text) => ({ text, type: kinds.get(text) ?? "" })) };
    },
    inspect({ code, position }) {
      cells.update(importedNames(code));
      const path = valueAt(code, position) ?? valueAt(code, position - 1) ?? null;
      const info = infoAt(position) ?? infoAt(calleeBefore(code, position));
      if (info === undefined) return { data: null, path };
      const plain = withoutImport(readable(opened.printQuickInfo(info), names));
      const signature = withoutImport(readable(joined(info.displayParts), names));
      const tags = (info.tags ?? []).map(({ name, text }) => `- *@${name}* ${joined(text)}`.trimEnd());
      const paragraphs = [`\`\`\`typescript\n${signature}\n\`\`\``, joined(info.documentation), tags.join("\n")];
      const markdown = paragraphs.filter((paragraph) => paragraph !== "").join("\n\n");
      return { data: { "text/plain": plain, "text/markdown": markdown }, path };

      function infoAt(at: number): ts.QuickInfo | undefined {
        return at < 0 ? undefined : opened.converter.inspect("", code, at);
      }
    },
    isComplete: ({ code }) => completenessOf(code),
    settle({ atLeast }) {
      if (cells.unsettled < atLeast) return false;
      cells.settle();
      // What the next cell is likely to ask the new checker, so that it need not wait for it.
      const rehearsal = cells.open("[1, 2].map((n) => String(n)).join()", "rehearsal.ts");
      cells.check(rehearsal);
      cells.refuse(rehearsal);
      return true;
    },
    reset() {
      cells.reset();
      return null;
    },
  };
}

/** Every name of the library is an import, which to the reader of a notebook is no news. */
function withoutImport(description: string): string {
  return description.replace(/^\(alias\) /, "").replace(/\n(import|export) [\w$]+(?=\n|$)/, "");
}

function joined(parts: readonly ts.SymbolDisplayPart[] | undefined): string {
  return (parts ?? []).map(({ text }) => text).join("");
}

/** Position of the name of the function in whose innermost call `position` stands, or −1. */
function calleeBefore(code: string, position: number): number {
  const file = parseCell(code);
  const at = code.slice(0, position).trimEnd().length;
  let callee = -1;
  const visit = (node: ts.Node): void => {
    if (node.pos > at || node.end < at) return;
    if ((ts.isCallExpression(node) || ts.isNewExpression(node)) && node.expression.end < at) {
      const { expression } = node;
      callee = (ts.isPropertyAccessExpression(expression) ? expression.name : expression).getStart(file);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  if (callee >= 0) return callee;
  // The cursor just behind a name is about that name, as in IPython.
  return /[\w$]$/.test(code.slice(0, position)) ? position - 1 : -1;
}

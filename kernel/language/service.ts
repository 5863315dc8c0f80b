import ts from "typescript";
import { completenessOf } from "./completeness.ts";
import { exportedNames, untypedDeclarations, withoutExports } from "./declarations.ts";
import type { TypeScript } from "./internals.ts";
import type { CheckedCell, Diagnostic, Language, LanguageOptions } from "./messages.ts";
import { parseCell } from "./parse.ts";
import { createPolledSystem } from "./system.ts";
import { transformCell } from "./transform.ts";
import { type ConverterDiagnostic, type LoadTslab, openConverter } from "./tslab.ts";

/**
 * "The inferred type cannot be named", "… is using private name": a cell that a `.d.ts` cannot describe is still a sound
 * cell. What it declares is then of type `any` in later cells.
 */
const cannotBeDescribed = (code: number): boolean =>
  (code >= 4000 && code < 5000) || code === 2527 || code === 2742 || code === 2883 || code === 7056;

const cannotFindModule = 2307;

/** Opens the compiler on one notebook. Takes about a second where it does not start from a snapshot. */
export function createLanguage(load: LoadTslab, options: LanguageOptions, stock: ts.System = ts.sys): Language {
  const typescript = ts as TypeScript;
  const { workingDirectory, preloaded, typeRoot } = options;
  const declarationsOf = (path: string): string => path.replace(/\.js$/, ".d.ts");
  const modules = Object.fromEntries(
    Object.entries(options.modules).map(([name, path]) => [name, [declarationsOf(path)]]),
  );
  const system = createPolledSystem(stock, workingDirectory);
  const open = () => openConverter(typescript, load, { workingDirectory, typeRoot, modules, system });

  let opened = open();
  const initial = preloadedDeclarations();
  let declarations = initial;

  function preloadedDeclarations(): string {
    // One look at the modules makes the compiler load them; then it can say what they export.
    const all = preloaded.map((path, index) => `import * as module${index} from ${JSON.stringify(path)};\n`).join("");
    opened.converter.convert("", all);
    return preloaded
      .map((path) => {
        const names = exportedNames(opened.program(), path);
        return `import { ${names.join(", ")} } from ${JSON.stringify(path)};\n`;
      })
      .join("");
  }

  function convert(source: string): { declarations: string; diagnostics: readonly ConverterDiagnostic[] } {
    system.poll();
    let converted = opened.converter.convert(declarations, source);
    if (converted.diagnostics.some(({ code }) => code === cannotFindModule)) {
      // The compiler remembers what it did not find, and it may have been installed since.
      opened.converter.close();
      opened = open();
      converted = opened.converter.convert(declarations, source);
    }
    const { diagnostics } = converted;
    const mistakes = diagnostics.filter(
      ({ category, code }) => category === ts.DiagnosticCategory.Error && !cannotBeDescribed(code),
    );
    if (mistakes.length === 0 && diagnostics.length > 0) {
      const untyped = opened.converter.convert(declarations, untypedDeclarations(source));
      return { declarations: untyped.declOutput ?? declarations, diagnostics: [] };
    }
    return { declarations: converted.declOutput ?? declarations, diagnostics: mistakes };
  }

  return {
    check({ code, name }): CheckedCell {
      // The converter adds a line of its own, and could report what is missing here at a place behind the cell's end.
      const broken = parseCell(code);
      if (broken.parseDiagnostics.length > 0) {
        return { status: "error", diagnostics: broken.parseDiagnostics.map((found) => syntaxError(broken, found)) };
      }
      const converted = convert(withoutExports(code));
      if (converted.diagnostics.length > 0) {
        return { status: "error", diagnostics: converted.diagnostics.map(toDiagnostic) };
      }
      declarations = converted.declarations;
      return { status: "ok", ...transformCell(code, name) };
    },
    translate: ({ code, name }) => ({ status: "ok", ...transformCell(code, name) }),
    complete({ code, position }) {
      system.poll();
      const { start, end, candidates, original } = opened.converter.complete(declarations, code, position);
      const kinds = new Map(original?.entries.map(({ name, kind }) => [name, kind]));
      return { start, end, matches: candidates.map((text) => ({ text, type: kinds.get(text) ?? "" })) };
    },
    inspect({ code, position }) {
      system.poll();
      const info = infoAt(position) ?? infoAt(calleeBefore(code, position));
      if (info === undefined) return null;
      const plain = opened.printQuickInfo(info);
      const signature = joined(info.displayParts);
      const tags = (info.tags ?? []).map(({ name, text }) => `- *@${name}* ${joined(text)}`.trimEnd());
      const paragraphs = [`\`\`\`typescript\n${signature}\n\`\`\``, joined(info.documentation), tags.join("\n")];
      const markdown = paragraphs.filter((paragraph) => paragraph !== "").join("\n\n");
      return { data: { "text/plain": plain, "text/markdown": markdown } };

      function infoAt(at: number): ts.QuickInfo | undefined {
        return at < 0 ? undefined : opened.converter.inspect(declarations, code, at);
      }
    },
    isComplete: ({ code }) => completenessOf(code),
    reset() {
      declarations = initial;
      return null;
    },
  };
}

function syntaxError(file: ts.SourceFile, { start, length, messageText, code }: ts.DiagnosticWithLocation): Diagnostic {
  const from = file.getLineAndCharacterOfPosition(start);
  const to = file.getLineAndCharacterOfPosition(Math.min(start + length, file.text.length));
  return {
    line: from.line + 1,
    column: from.character + 1,
    endLine: to.line + 1,
    endColumn: to.character + 1,
    message: ts.flattenDiagnosticMessageText(messageText, "\n"),
    code,
  };
}

function joined(parts: readonly ts.SymbolDisplayPart[] | undefined): string {
  return (parts ?? []).map(({ text }) => text).join("");
}

/** A chain of messages comes as several diagnostics at one place; the first says what, the rest why. */
function toDiagnostic({ start, end, messageText, code, fileName }: ConverterDiagnostic): Diagnostic {
  return {
    line: start.line + 1,
    column: start.character + 1,
    endLine: end.line + 1,
    endColumn: end.character + 1,
    message: messageText,
    code,
    ...(fileName === undefined ? {} : { file: fileName }),
  };
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

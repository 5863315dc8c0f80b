import type ts from "typescript";
import type { BoundSourceFile, TypeScript } from "./internals.ts";
import { parseCell } from "./parse.ts";

/** Cells lie in a folder that does not exist, below the working directory. */
export const cellsFolder = "/.tessera-cells/";

/** Longer types are not copied: the cell that they come from is kept instead. */
const longestType = 2000;

/**
 * What the names of cells look like to later cells: name → one declaration as text. Names are as the compiler keeps them
 * (`__escapedName`).
 */
export type Summary = ReadonlyMap<string, string>;

/** The symbols of a summary, each made when it is asked for first: of a thousand old names few are used again. */
export class SummarySymbols extends Map<string, ts.Symbol> {
  readonly lines: Summary;
  readonly #declare: (line: string, name: string) => ts.Symbol | undefined;

  constructor(lines: Summary, declare: (line: string, name: string) => ts.Symbol | undefined) {
    super();
    this.lines = lines;
    this.#declare = declare;
  }

  override get size(): number {
    return this.lines.size;
  }

  override has(name: string): boolean {
    return this.lines.has(name);
  }

  override get(name: string): ts.Symbol | undefined {
    const known = super.get(name);
    const line = known === undefined ? this.lines.get(name) : undefined;
    if (line === undefined) return known;
    const symbol = this.#declare(line, name);
    if (symbol === undefined) throw new Error(`internal: the summary of ${name} must declare it, got ${line}`);
    super.set(name, symbol);
    return symbol;
  }

  override forEach(visit: (symbol: ts.Symbol, name: string, all: Map<string, ts.Symbol>) => void): void {
    for (const [name, symbol] of this) visit(symbol, name, this);
  }

  override keys(): MapIterator<string> {
    return this.lines.keys() as MapIterator<string>;
  }

  override *values(): MapIterator<ts.Symbol> {
    for (const [, symbol] of this) yield symbol;
  }

  override entries(): MapIterator<[string, ts.Symbol]> {
    return this[Symbol.iterator]();
  }

  override *[Symbol.iterator](): MapIterator<[string, ts.Symbol]> {
    for (const name of this.lines.keys()) yield [name, this.get(name) as ts.Symbol];
  }
}

/**
 * Declares what a cell declares in a few words, so that its syntax tree can be forgotten: variables and functions whose
 * types can be written down in names that mean the same to every later cell.
 *
 * Classes, types, imports, overloads and generic functions are more than their declaration says (a private member, the
 * identity of a class, a type that is found out from a body). A cell with one of those has no summary, and is kept.
 *
 * @param file a cell that has been checked by `checker`
 */
export function summarise(typescript: TypeScript, checker: ts.TypeChecker, file: BoundSourceFile): Summary | undefined {
  const writer = new Writer(typescript, checker, file);
  const summary = new Map<string, string>();
  for (const [name, symbol] of file.locals ?? []) {
    const declaration = writer.declare(symbol);
    // What cannot be read again would be missed only when a later cell asks for it.
    if (declaration === undefined || parseCell(declaration).parseDiagnostics.length > 0) return undefined;
    summary.set(name, declaration);
  }
  return summary;
}

class Writer {
  readonly #typescript: TypeScript;
  readonly #checker: ts.TypeChecker;
  readonly #file: BoundSourceFile;
  readonly #printer: ts.Printer;

  constructor(typescript: TypeScript, checker: ts.TypeChecker, file: BoundSourceFile) {
    this.#typescript = typescript;
    this.#checker = checker;
    this.#file = file;
    this.#printer = typescript.createPrinter({ removeComments: true });
  }

  declare(symbol: ts.Symbol): string | undefined {
    const { SymbolFlags } = this.#typescript;
    const { name, valueDeclaration: declaration, declarations = [] } = symbol;
    if (declaration === undefined) return undefined;
    const comment = this.#comment(declaration);
    if ((symbol.flags & ~SymbolFlags.Variable) === 0) {
      const type = this.#variable(symbol);
      return type && `${comment}declare ${this.#keyword(declaration)} ${name}${type};`;
    }
    if (symbol.flags !== SymbolFlags.Function || declarations.length > 1) return undefined;
    const signature = this.#function(symbol);
    return signature && `${comment}declare function ${name}${signature};`;
  }

  /** What stands behind a variable's name: its type, or the literal that a constant has and that its copies widen. */
  #variable(symbol: ts.Symbol): string | undefined {
    const type = this.#checker.getTypeOfSymbol(symbol);
    const node = this.#typeNode(type);
    // `a > b ? 1 : 2` widens, too, and there is no way to write that down.
    if (node === undefined || (type.isUnion() && type.types.some(isWidening))) return undefined;
    return `${isWidening(type) ? " =" : ":"} ${this.#print(node)}`;
  }

  #function(symbol: ts.Symbol): string | undefined {
    const node = this.#typeNode(this.#checker.getTypeOfSymbol(symbol));
    if (node === undefined || !this.#typescript.isFunctionTypeNode(node)) return undefined;
    const parameters = node.parameters.map((parameter) => this.#print(parameter));
    return `(${parameters.join(", ")}): ${this.#print(node.type)}`;
  }

  #keyword(declaration: ts.Declaration): "const" | "let" | "var" {
    const flags = this.#typescript.getCombinedNodeFlags(declaration);
    if ((flags & this.#typescript.NodeFlags.Const) !== 0) return "const";
    return (flags & this.#typescript.NodeFlags.Let) !== 0 ? "let" : "var";
  }

  /** The documentation that stands before a declaration: later cells may ask about it. */
  #comment(declaration: ts.Declaration): string {
    const [documentation] = this.#typescript.getJSDocCommentsAndTags(declaration).slice(-1);
    return documentation === undefined ? "" : `${documentation.getText(this.#file)}\n`;
  }

  #print(node: ts.Node): string {
    return this.#printer.printNode(this.#typescript.EmitHint.Unspecified, node, this.#file);
  }

  /** A type as it may be written in any later place of the notebook; undefined where that is not certain. */
  #typeNode(type: ts.Type): ts.TypeNode | undefined {
    const { NodeBuilderFlags } = this.#typescript;
    const flags = NodeBuilderFlags.NoTruncation | NodeBuilderFlags.UseFullyQualifiedType;
    const node = this.#checker.typeToTypeNode(type, this.#file, flags);
    if (node === undefined || !this.#isPlain(node)) return undefined;
    return this.#print(node).length > longestType ? undefined : node;
  }

  readonly #isPlain = (node: ts.Node): boolean => {
    const is = this.#typescript;
    if (is.isTypeReferenceNode(node) && !this.#meansTheSame(node.typeName)) return false;
    const isKnown =
      is.isTypeReferenceNode(node) ||
      is.isArrayTypeNode(node) ||
      is.isTupleTypeNode(node) ||
      is.isNamedTupleMember(node) ||
      is.isOptionalTypeNode(node) ||
      is.isRestTypeNode(node) ||
      is.isUnionTypeNode(node) ||
      is.isIntersectionTypeNode(node) ||
      is.isLiteralTypeNode(node) ||
      is.isParenthesizedTypeNode(node) ||
      (is.isTypeOperatorNode(node) && node.operator === is.SyntaxKind.ReadonlyKeyword) ||
      is.isTypeLiteralNode(node) ||
      is.isPropertySignature(node) ||
      ((is.isMethodSignature(node) || is.isFunctionTypeNode(node)) && node.typeParameters === undefined) ||
      is.isIndexSignatureDeclaration(node) ||
      is.isParameter(node) ||
      is.isIdentifier(node) ||
      is.isQualifiedName(node) ||
      is.isLiteralExpression(node) ||
      is.isPrefixUnaryExpression(node) ||
      is.isToken(node);
    return isKnown && is.forEachChild(node, (child) => !this.#isPlain(child) || undefined) === undefined;
  };

  /** Whether a name that the compiler would write leads back to what it stands for, and that comes from no cell. */
  #meansTheSame(name: ts.EntityName): boolean {
    const { SymbolFlags, isIdentifier } = this.#typescript;
    let [first, meaning] = [name, SymbolFlags.Type];
    while (!isIdentifier(first)) [first, meaning] = [first.left, SymbolFlags.Namespace];
    // The compiler leaves in what it writes what it means.
    const meant = this.#origin((first as { symbol?: ts.Symbol }).symbol);
    const found = this.#origin(this.#checker.resolveName(first.text, this.#file, meaning, false));
    return meant !== undefined && meant === found && !meant.getSourceFile().fileName.includes(cellsFolder);
  }

  /** The declaration that a symbol, or the one behind an import, begins with. */
  #origin(symbol: ts.Symbol | undefined): ts.Declaration | undefined {
    const isAlias = symbol !== undefined && (symbol.flags & this.#typescript.SymbolFlags.Alias) !== 0;
    return (isAlias ? this.#checker.getAliasedSymbol(symbol) : symbol)?.declarations?.[0];
  }
}

/** Whether a type is a literal from which `let` makes a number, a string and so on. */
function isWidening(type: ts.Type): boolean {
  return (type as Partial<ts.LiteralType>).freshType === type;
}

import ts from "typescript";
import type { Emitter } from "./emit.ts";

/** A cell as the realm runs it. */
export interface TransformedCell {
  /**
   * An expression: the cell as a function without parameters, asynchronous if the cell awaits anything. It returns
   * `{ value }` where the cell ends in an expression, and nothing elsewhere.
   */
  readonly javascript: string;
  /** Names that the cell assigns and that must be declared, with `let` and in the outermost scope, before it runs. */
  readonly declared: readonly string[];
  /** Source map (version 3, JSON) from the JavaScript back to the cell. */
  readonly sourceMap: string;
}

/** The name under which the realm offers what transformed cells call. */
export const realmName = "__tessera__";

/** Undeclared members of the compiler's node factory; see internals.ts. */
interface ConvertingFactory extends ts.NodeFactory {
  readonly converters: { convertToAssignmentElementTarget(name: ts.BindingName): ts.Expression };
  inlineExpressions(expressions: readonly ts.Expression[]): ts.Expression;
}

/**
 * Turns the TypeScript of a cell into a function whose top-level declarations outlive it.
 *
 * Whatever a cell declares, by `const`, `let`, `var`, `function`, `class`, `enum` or `import`, becomes an assignment to a
 * variable of the outermost scope. So a later cell may declare any name again in any way, functions of earlier cells see
 * the newest value, and top-level `await` needs nothing special. That a `const` is not assigned is for the type check to
 * see. Imports are awaited calls of `__tessera__.import`. What the cell itself waits for goes through `__tessera__.wait`, so
 * that an interrupt can name the line.
 *
 * @param source the cell; it may hold syntax errors, which the type check has the task of reporting
 * @param fileName name of the cell in the source map
 */
export function transformCell(emitter: Emitter, source: string, fileName: string): TransformedCell {
  const declared = new Set<string>();
  // A comment that ends with the cell would swallow what is put behind the last expression.
  const { text, sourceMap } = emitter.emit(
    `${source}\n`,
    fileName,
    (context) => (file) => new CellTransformer(file, context, declared).transform(),
  );
  const javascript = text.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
  return { javascript, declared: [...declared], sourceMap };
}

/** Works on JavaScript: TypeScript's own transformers have taken types away and enums apart before. */
class CellTransformer {
  readonly #file: ts.SourceFile;
  readonly #context: ts.TransformationContext;
  readonly #factory: ConvertingFactory;
  readonly #declared: Set<string>;

  constructor(file: ts.SourceFile, context: ts.TransformationContext, declared: Set<string>) {
    this.#file = file;
    this.#context = context;
    this.#factory = context.factory as ConvertingFactory;
    this.#declared = declared;
  }

  transform(): ts.SourceFile {
    const file = this.#file;
    const factory = this.#factory;
    const imports: ts.Statement[] = [];
    const hoisted: ts.Statement[] = [];
    const body: ts.Statement[] = [];
    const last = file.statements.findLast((statement) => !leavesNothing(statement));
    for (const statement of file.statements) {
      if (isStrictDirective(statement) || leavesNothing(statement)) continue;
      if (ts.isImportDeclaration(statement)) imports.push(...this.#import(statement));
      else if (ts.isExportDeclaration(statement)) imports.push(this.#load(statement));
      else if (ts.isFunctionDeclaration(statement)) hoisted.push(this.#function(statement));
      else if (ts.isClassDeclaration(statement)) body.push(this.#class(statement));
      else if (statement === last && isValue(statement)) body.push(this.#returnValue(statement));
      else body.push(...this.#declarations(statement));
    }
    const strict = factory.createExpressionStatement(factory.createStringLiteral("use strict"));
    const statements = [strict, ...imports, ...hoisted, ...body].map(this.#rewriteImports).map(this.#rewriteAwaits);
    const awaits = statements.some(awaitsAtTopLevel);
    const cell = factory.createArrowFunction(
      awaits ? [factory.createModifier(ts.SyntaxKind.AsyncKeyword)] : undefined,
      undefined,
      [],
      undefined,
      undefined,
      factory.createBlock(statements as ts.Statement[], true),
    );
    const whole = factory.createExpressionStatement(factory.createParenthesizedExpression(cell));
    return factory.updateSourceFile(file, [whole]);
  }

  /** `import(x)` and `import.meta`, anywhere in the cell. */
  readonly #rewriteImports = (node: ts.Node): ts.Node => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const given = node.arguments.map((argument) => this.#rewriteImports(argument) as ts.Expression);
      return ts.setTextRange(this.#factory.createCallExpression(this.#realm("import"), undefined, given), node);
    }
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) return this.#realm("meta");
    return ts.visitEachChild(node, this.#rewriteImports, this.#context);
  };

  /** `await` and `for await` of the cell itself, not of functions in it. */
  readonly #rewriteAwaits = (node: ts.Node): ts.Node => {
    if (ts.isFunctionLike(node)) return node;
    const found = ts.visitEachChild(node, this.#rewriteAwaits, this.#context);
    // What others have made of the cell's code has no place in it.
    const written = ts.getParseTreeNode(node);
    if (written === undefined) return found;
    const factory = this.#factory;
    if (ts.isAwaitExpression(found)) {
      return factory.updateAwaitExpression(found, this.#wait("wait", found.expression, written));
    }
    if (ts.isForOfStatement(found) && found.awaitModifier) {
      const { awaitModifier, initializer, expression, statement } = found;
      const waiting = this.#wait("waitEach", expression, written);
      return factory.updateForOfStatement(found, awaitModifier, initializer, waiting, statement);
    }
    return found;
  };

  #realm(member: string): ts.Expression {
    return this.#factory.createPropertyAccessExpression(this.#factory.createIdentifier(realmName), member);
  }

  /** What the cell waits for at a place in it, told to the realm. */
  #wait(method: "wait" | "waitEach", awaited: ts.Expression, place: ts.Node): ts.Expression {
    const factory = this.#factory;
    const start = ts.getOriginalNode(place).getStart(this.#file);
    const { line, character } = this.#file.getLineAndCharacterOfPosition(start);
    return factory.createCallExpression(this.#realm(method), undefined, [
      awaited,
      factory.createStringLiteral(this.#file.fileName),
      factory.createNumericLiteral(line + 1),
      factory.createNumericLiteral(character + 1),
    ]);
  }

  #loaded(specifier: ts.Expression, statement: ts.Statement): ts.Expression {
    const call = this.#factory.createCallExpression(this.#realm("import"), undefined, [specifier]);
    return this.#factory.createAwaitExpression(this.#wait("wait", call, statement));
  }

  /** `export … from "module"`: what a cell declares is visible anyway, so only the loading is left to do. */
  #load(statement: ts.ExportDeclaration): ts.Statement {
    const specifier = statement.moduleSpecifier ?? this.#factory.createStringLiteral("");
    return this.#statement(this.#loaded(specifier, statement), statement);
  }

  #import(statement: ts.ImportDeclaration): ts.Statement[] {
    const factory = this.#factory;
    const { importClause, moduleSpecifier } = statement;
    const loaded = this.#loaded(moduleSpecifier, statement);
    if (!importClause) return [this.#statement(loaded, statement)];
    const { name, namedBindings } = importClause;
    if (namedBindings && ts.isNamespaceImport(namedBindings)) {
      const space = this.#statement(this.#assign(namedBindings.name, loaded), statement);
      if (!name) return [space];
      const whole = factory.createPropertyAccessExpression(
        factory.createIdentifier(namedBindings.name.text),
        "default",
      );
      return [space, this.#statement(this.#assign(name, whole), statement)];
    }
    const elements: ts.BindingElement[] = [];
    if (name) elements.push(factory.createBindingElement(undefined, "default", name));
    for (const element of namedBindings?.elements ?? []) {
      const property = element.propertyName ?? element.name;
      elements.push(factory.createBindingElement(undefined, property, element.name));
    }
    return [this.#statement(this.#assign(factory.createObjectBindingPattern(elements), loaded), statement)];
  }

  /** Assigned before all else, since a function may be called above its declaration. */
  #function(declaration: ts.FunctionDeclaration): ts.Statement {
    const factory = this.#factory;
    // Without a name of its own the expression takes the variable's, and a recursive call finds the newest definition.
    const expression = factory.createFunctionExpression(
      withoutExport(declaration.modifiers),
      declaration.asteriskToken,
      undefined,
      undefined,
      declaration.parameters,
      undefined,
      declaration.body ?? factory.createBlock([]),
    );
    ts.setTextRange(expression, declaration);
    return this.#statement(this.#assign(this.#nameOf(declaration), expression), declaration);
  }

  #class(declaration: ts.ClassDeclaration): ts.Statement {
    const expression = this.#factory.createClassExpression(
      withoutExport(declaration.modifiers),
      declaration.name,
      undefined,
      declaration.heritageClauses,
      declaration.members,
    );
    ts.setTextRange(expression, declaration);
    return this.#statement(this.#assign(this.#nameOf(declaration), expression), declaration);
  }

  /** `export default` needs no name; nothing can refer to it. */
  #nameOf({ name }: ts.FunctionDeclaration | ts.ClassDeclaration): ts.Identifier {
    return name ?? this.#factory.createIdentifier("_default");
  }

  #returnValue(statement: ts.ExpressionStatement | ts.ExportAssignment): ts.Statement {
    const factory = this.#factory;
    // The realm waits for a promise that is the value of the cell.
    const value = factory.createObjectLiteralExpression([
      factory.createPropertyAssignment("value", this.#wait("wait", statement.expression, statement)),
    ]);
    return ts.setTextRange(factory.createReturnStatement(value), statement);
  }

  /** Makes assignments of what a statement declares for the whole cell: any declaration here, `var` in its blocks too. */
  #declarations(statement: ts.Statement): ts.Statement[] {
    if (ts.isExportAssignment(statement)) return [this.#statement(statement.expression, statement)];
    if (ts.isVariableStatement(statement)) return this.#variables(statement, statement.declarationList);
    return [this.#vars(statement) as ts.Statement];
  }

  #variables(statement: ts.VariableStatement, list: ts.VariableDeclarationList): ts.Statement[] {
    // `let x` begins as undefined each time, and so does an enum or namespace; `var x` keeps what it has.
    const original = ts.getOriginalNode(statement);
    const anew = isBlockScoped(list) || ts.isEnumDeclaration(original) || ts.isModuleDeclaration(original);
    const assignments = list.declarations.flatMap((declaration) => {
      const value = declaration.initializer ?? (anew ? this.#factory.createVoidZero() : undefined);
      if (value === undefined) this.#declare(declaration.name);
      return value === undefined ? [] : [this.#statement(this.#assign(declaration.name, value), declaration)];
    });
    if (assignments.length > 0) ts.setTextRange(assignments[0], statement);
    return assignments;
  }

  readonly #vars = (node: ts.Node): ts.Node => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return node;
    if (ts.isVariableStatement(node) && !isBlockScoped(node.declarationList)) {
      const all = this.#variables(node, node.declarationList);
      return all.length === 1 ? all[0] : ts.setTextRange(this.#factory.createBlock(all), node);
    }
    if (ts.isVariableDeclarationList(node) && !isBlockScoped(node)) {
      const all = node.declarations.flatMap(({ name, initializer }) => {
        this.#declare(name);
        return initializer ? [this.#assign(name, initializer)] : [];
      });
      if (all.length > 0) return this.#factory.inlineExpressions(all);
      // `for (var x of …)` and `for (var x in …)` bind without an initialiser.
      const { converters } = this.#factory;
      const [{ name }] = node.declarations;
      return ts.isForStatement(node.parent)
        ? this.#factory.createVoidZero()
        : converters.convertToAssignmentElementTarget(name);
    }
    return ts.visitEachChild(node, this.#vars, this.#context);
  };

  #declare(name: ts.BindingName): void {
    for (const bound of boundNames(name)) this.#declared.add(bound);
  }

  #assign(name: ts.BindingName, value: ts.Expression): ts.Expression {
    this.#declare(name);
    const target = this.#factory.converters.convertToAssignmentElementTarget(name);
    const assignment = this.#factory.createAssignment(target, value);
    return ts.isObjectBindingPattern(name) ? this.#factory.createParenthesizedExpression(assignment) : assignment;
  }

  #statement(expression: ts.Expression, original: ts.Node): ts.Statement {
    return ts.setTextRange(this.#factory.createExpressionStatement(expression), original);
  }
}

/** Whether a statement is a value of the cell. The compiler adds expressions of its own, such as calls of decorators. */
function isValue(statement: ts.Statement): statement is ts.ExpressionStatement | ts.ExportAssignment {
  const is = (node: ts.Node): boolean => ts.isExpressionStatement(node) || ts.isExportAssignment(node);
  const written = ts.getParseTreeNode(statement);
  return is(statement) && written !== undefined && is(written);
}

/** The compiler adds the directive to some cells; ours stands in the function. */
function isStrictDirective(statement: ts.Statement): boolean {
  return (
    ts.isExpressionStatement(statement) &&
    ts.isStringLiteral(statement.expression) &&
    statement.expression.text === "use strict"
  );
}

/** Types, and lists of exports: nothing to run. */
function leavesNothing(statement: ts.Statement): boolean {
  return (
    ts.isEmptyStatement(statement) ||
    ts.isNotEmittedStatement(statement) ||
    (ts.isExportDeclaration(statement) && !statement.moduleSpecifier)
  );
}

function isBlockScoped(list: ts.VariableDeclarationList): boolean {
  return (list.flags & ts.NodeFlags.BlockScoped) !== 0;
}

function withoutExport(modifiers: ts.NodeArray<ts.ModifierLike> | undefined): ts.Modifier[] | undefined {
  return modifiers?.filter(
    (modifier): modifier is ts.Modifier =>
      ts.isModifier(modifier) &&
      modifier.kind !== ts.SyntaxKind.ExportKeyword &&
      modifier.kind !== ts.SyntaxKind.DefaultKeyword,
  );
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

/** Whether a statement awaits, functions inside of it apart. */
function awaitsAtTopLevel(node: ts.Node): boolean {
  if (ts.isFunctionLike(node)) return false;
  if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) return true;
  return ts.forEachChild(node, (child) => awaitsAtTopLevel(child) || undefined) ?? false;
}

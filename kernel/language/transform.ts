import ts from "typescript";

/** A cell as V8 can run it in its REPL mode, where later cells may declare the same names again. */
export interface TransformedCell {
  readonly javascript: string;
  /** Source map (version 3, JSON) from the JavaScript back to the cell. */
  readonly sourceMap: string;
}

/** Undeclared members of the compiler's node factory; see internals.ts. */
interface ConvertingFactory extends ts.NodeFactory {
  readonly converters: { convertToAssignmentElementTarget(name: ts.BindingName): ts.Expression };
  inlineExpressions(expressions: readonly ts.Expression[]): ts.Expression;
}

/** The name under which the realm offers what transformed cells call. */
export const realmName = "__tessera__";

/**
 * Turns the TypeScript of a cell into JavaScript for V8's REPL mode.
 *
 * - A cell's value is that of its last statement, if that is an expression: it is handed to `__tessera__.result`.
 * - Imports become awaited calls of `__tessera__.import`, since code given to the inspector has no loader of its own.
 * - It runs in strict mode, like the module that the type check takes it for.
 * - V8's REPL mode allows `let` and `class` to be declared again and refuses every other pair, so top-level `const`,
 *   `var`, `function`, `enum` and imports are all declared with `let`.
 *
 * @param source the cell; it may hold syntax errors, which the type check has the task of reporting
 * @param fileName name of the cell in the source map
 */
export function transformCell(source: string, fileName: string): TransformedCell {
  const { outputText, sourceMapText } = ts.transpileModule(source, {
    fileName,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      // An import that only a later cell uses must not be dropped.
      verbatimModuleSyntax: true,
      experimentalDecorators: true,
      jsx: ts.JsxEmit.React,
      sourceMap: true,
      newLine: ts.NewLineKind.LineFeed,
    },
    transformers: { after: [replTransformer] },
  });
  const javascript = outputText.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
  return { javascript, sourceMap: sourceMapText ?? "" };
}

const replTransformer: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
  const { factory } = context;
  const realm = (member: string): ts.Expression =>
    factory.createPropertyAccessExpression(factory.createIdentifier(realmName), member);
  const imported = (specifier: ts.Expression): ts.Expression =>
    factory.createAwaitExpression(factory.createCallExpression(realm("import"), undefined, [specifier]));

  // import(x) and import.meta, anywhere in the cell.
  const visitDynamic = (node: ts.Node): ts.Node => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const specifiers = node.arguments.map((argument) => visitDynamic(argument) as ts.Expression);
      return ts.setTextRange(factory.createCallExpression(realm("import"), undefined, specifiers), node);
    }
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) return realm("meta");
    return ts.visitEachChild(node, visitDynamic, context);
  };

  const imports: ts.Statement[] = [];
  const hoisted: ts.Statement[] = [];
  const body: ts.Statement[] = [];
  const declared = new Set<string>();

  const letOf = (declarations: readonly ts.VariableDeclaration[]): ts.VariableStatement =>
    factory.createVariableStatement(undefined, factory.createVariableDeclarationList(declarations, ts.NodeFlags.Let));

  for (const statement of file.statements) {
    if (isStrictDirective(statement)) continue;
    if (ts.isImportDeclaration(statement)) {
      imports.push(...importStatements(factory, statement, imported, letOf));
    } else if (ts.isExportDeclaration(statement)) {
      // Everything a cell declares is visible to later cells, so only the loading of `export … from` is left to do.
      if (statement.moduleSpecifier) {
        imports.push(factory.createExpressionStatement(imported(statement.moduleSpecifier)));
      }
    } else if (ts.isExportAssignment(statement)) {
      body.push(ts.setTextRange(factory.createExpressionStatement(statement.expression), statement));
    } else if (ts.isFunctionDeclaration(statement)) {
      const name = statement.name ?? factory.createIdentifier("_default");
      declared.add(name.text);
      hoisted.push(functionAssignment(factory, statement, name));
    } else if (ts.isClassDeclaration(statement)) {
      body.push(withoutExport(factory, statement));
    } else if (ts.isVariableStatement(statement) && isBlockScoped(statement.declarationList)) {
      body.push(ts.setTextRange(letOf(statement.declarationList.declarations), statement));
    } else {
      body.push(...assignVars(context, statement, declared));
    }
  }
  const last = body.findLastIndex((statement) => !leavesNothing(statement));
  const value = body[last];
  if (endsInExpression(file) && value !== undefined && ts.isExpressionStatement(value)) {
    const call = factory.createCallExpression(realm("result"), undefined, [value.expression]);
    body[last] = ts.setTextRange(factory.createExpressionStatement(call), value);
  }
  const names = [...declared].map((name) => factory.createVariableDeclaration(name));
  const strict = factory.createExpressionStatement(factory.createStringLiteral("use strict"));
  const statements = [strict, ...imports, ...(names.length > 0 ? [letOf(names)] : []), ...hoisted, ...body];
  return ts.visitEachChild(
    factory.updateSourceFile(file, ts.setTextRange(factory.createNodeArray(statements), file.statements)),
    visitDynamic,
    context,
  );
};

/** Whether the last statement of a cell is an expression; what leaves no JavaScript behind does not count. */
function endsInExpression(file: ts.SourceFile): boolean {
  const last = file.statements.findLast((statement) => !leavesNothing(statement));
  return last !== undefined && (ts.isExpressionStatement(last) || ts.isExportAssignment(last));
}

/** The compiler adds the directive to some cells; ours must be the only one, and the first statement. */
function isStrictDirective(statement: ts.Statement): boolean {
  return (
    ts.isExpressionStatement(statement) &&
    ts.isStringLiteral(statement.expression) &&
    statement.expression.text === "use strict"
  );
}

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

function importStatements(
  factory: ts.NodeFactory,
  statement: ts.ImportDeclaration,
  imported: (specifier: ts.Expression) => ts.Expression,
  letOf: (declarations: readonly ts.VariableDeclaration[]) => ts.VariableStatement,
): ts.Statement[] {
  const { importClause, moduleSpecifier } = statement;
  const loaded = imported(moduleSpecifier);
  const bind = (name: ts.BindingName, value: ts.Expression): ts.Statement =>
    ts.setTextRange(letOf([factory.createVariableDeclaration(name, undefined, undefined, value)]), statement);
  if (!importClause) return [ts.setTextRange(factory.createExpressionStatement(loaded), statement)];
  const { name, namedBindings } = importClause;
  if (namedBindings && ts.isNamespaceImport(namedBindings)) {
    const space = bind(namedBindings.name, loaded);
    if (!name) return [space];
    return [space, bind(name, factory.createPropertyAccessExpression(namedBindings.name, "default"))];
  }
  const elements: ts.BindingElement[] = [];
  if (name) elements.push(factory.createBindingElement(undefined, "default", name));
  for (const element of namedBindings?.elements ?? []) {
    const property = element.propertyName ?? element.name;
    elements.push(factory.createBindingElement(undefined, property, element.name));
  }
  return [bind(factory.createObjectBindingPattern(elements), loaded)];
}

function functionAssignment(
  factory: ts.NodeFactory,
  declaration: ts.FunctionDeclaration,
  name: ts.Identifier,
): ts.Statement {
  const modifiers = declaration.modifiers?.filter(
    (modifier) => modifier.kind !== ts.SyntaxKind.ExportKeyword && modifier.kind !== ts.SyntaxKind.DefaultKeyword,
  );
  // Without a name of its own the expression takes the variable's, and a recursive call finds the newest definition.
  const expression = factory.createFunctionExpression(
    modifiers as readonly ts.Modifier[] | undefined,
    declaration.asteriskToken,
    undefined,
    undefined,
    declaration.parameters,
    undefined,
    declaration.body ?? factory.createBlock([]),
  );
  ts.setTextRange(expression, declaration);
  const assignment = factory.createAssignment(factory.createIdentifier(name.text), expression);
  return ts.setTextRange(factory.createExpressionStatement(assignment), declaration);
}

function withoutExport(factory: ts.NodeFactory, declaration: ts.ClassDeclaration): ts.Statement {
  const modifiers = declaration.modifiers?.filter(
    (modifier) => modifier.kind !== ts.SyntaxKind.ExportKeyword && modifier.kind !== ts.SyntaxKind.DefaultKeyword,
  );
  return factory.updateClassDeclaration(
    declaration,
    modifiers,
    declaration.name ?? factory.createIdentifier("_default"),
    undefined,
    declaration.heritageClauses,
    declaration.members,
  );
}

/**
 * Makes assignments of what `var` declares in a statement, functions apart, and adds the names to `declared`. A `var` may
 * be declared twice in one cell, used before, or stand in a loop: declared once at the top of the cell it can all do.
 */
function assignVars(context: ts.TransformationContext, statement: ts.Statement, declared: Set<string>): ts.Statement[] {
  const factory = context.factory as ConvertingFactory;
  const { convertToAssignmentElementTarget: target } = factory.converters;

  const assignments = (list: ts.VariableDeclarationList): ts.Expression[] =>
    list.declarations.flatMap((declaration) => {
      for (const name of boundNames(declaration.name)) declared.add(name);
      if (!declaration.initializer) return [];
      const assignment = factory.createAssignment(target(declaration.name), declaration.initializer);
      return [
        ts.isObjectBindingPattern(declaration.name) ? factory.createParenthesizedExpression(assignment) : assignment,
      ];
    });

  const visit = (node: ts.Node): ts.Node => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return node;
    if (ts.isVariableStatement(node) && !isBlockScoped(node.declarationList)) {
      const all = assignments(node.declarationList);
      const replacement =
        all.length === 0
          ? factory.createEmptyStatement()
          : factory.createExpressionStatement(factory.inlineExpressions(all));
      return ts.setTextRange(replacement, node);
    }
    if (ts.isVariableDeclarationList(node) && !isBlockScoped(node)) {
      const all = assignments(node);
      if (all.length > 0) return factory.inlineExpressions(all);
      // `for (var x of …)` and `for (var x in …)` bind without an initialiser.
      const [only] = node.declarations;
      return ts.isForStatement(node.parent) ? factory.createIdentifier("undefined") : target(only.name);
    }
    return ts.visitEachChild(node, visit, context);
  };
  const changed = visit(statement) as ts.Statement;
  return ts.isEmptyStatement(changed) ? [] : [changed];
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

import ts from "typescript";
import type { ValuePath } from "./messages.ts";
import { parseCell } from "./parse.ts";

/** A member that is being written, of a value whose type may say nothing about it. */
export interface MemberAtCursor {
  readonly path: ValuePath;
  /** Where the member's name begins; the name itself where it is a string, behind its quote. */
  readonly start: number;
  readonly typed: string;
  readonly quoted: boolean;
}

/** The member before the cursor: `data.na`, or `data["na`. */
export function memberBefore(code: string, position: number): MemberAtCursor | undefined {
  const file = parseCell(code);
  const find = (node: ts.Node): MemberAtCursor | undefined => {
    if (position <= node.pos || position > node.end) return undefined;
    const member = memberOf(node, file, position);
    return member ?? ts.forEachChild(node, find);
  };
  return find(file);
}

function memberOf(node: ts.Node, file: ts.SourceFile, position: number): MemberAtCursor | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const start = node.name.end === node.name.pos ? position : node.name.getStart(file);
    return position >= node.name.pos ? memberFrom(node, file, start, position, false) : undefined;
  }
  if (!ts.isElementAccessExpression(node) || !ts.isStringLiteral(node.argumentExpression)) return undefined;
  const start = node.argumentExpression.getStart(file) + 1;
  return position >= start ? memberFrom(node, file, start, position, true) : undefined;
}

function memberFrom(
  { expression }: ts.AccessExpression,
  file: ts.SourceFile,
  start: number,
  position: number,
  quoted: boolean,
): MemberAtCursor | undefined {
  const path = start <= position ? pathOf(expression, file) : undefined;
  return path && { path, start, typed: file.text.slice(start, position), quoted };
}

/** The way to the value whose name stands at a position. */
export function valueAt(code: string, position: number): ValuePath | undefined {
  const file = parseCell(code);
  const find = (node: ts.Node): ts.Node | undefined => {
    if (position < node.getStart(file) || position >= node.end) return undefined;
    return ts.forEachChild(node, find) ?? node;
  };
  const found = find(file);
  if (found === undefined || !ts.isIdentifier(found)) return undefined;
  const { parent } = found;
  if (ts.isPropertyAccessExpression(parent)) return pathOf(parent.name === found ? parent : found, file);
  const isReference = ts.isExpressionStatement(parent) || ts.isCallExpression(parent) || ts.isBinaryExpression(parent);
  return isReference || ts.isElementAccessExpression(parent) ? pathOf(found, file) : undefined;
}

/** Names and literal keys that lead to a value from the outermost scope; undefined for anything that has to be run. */
function pathOf(expression: ts.Expression, file: ts.SourceFile): ValuePath | undefined {
  if (ts.isParenthesizedExpression(expression) || ts.isNonNullExpression(expression) || ts.isAsExpression(expression)) {
    return pathOf(expression.expression, file);
  }
  if (ts.isIdentifier(expression)) {
    return isDeclaredInside(expression.text, file) ? undefined : [expression.text];
  }
  if (ts.isPropertyAccessExpression(expression)) {
    const path = pathOf(expression.expression, file);
    return path && [...path, expression.name.text];
  }
  if (ts.isElementAccessExpression(expression)) {
    const { argumentExpression: key } = expression;
    if (!ts.isStringLiteralLike(key) && !ts.isNumericLiteral(key)) return undefined;
    const path = pathOf(expression.expression, file);
    return path && [...path, key.text];
  }
  return undefined;
}

/** Whether a function, a block or a loop of the cell has a name of its own like this. */
function isDeclaredInside(name: string, file: ts.SourceFile): boolean {
  const isOfCell = ({ parent }: ts.Declaration): boolean =>
    parent === file || (ts.isVariableDeclarationList(parent) && parent.parent.parent === file);
  const find = (node: ts.Node): boolean => {
    const own = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node);
    const named = own || ts.isFunctionLike(node) || ts.isClassLike(node);
    if (named && node.name && ts.isIdentifier(node.name) && node.name.text === name && !isOfCell(node)) return true;
    return ts.forEachChild(node, (child) => find(child) || undefined) ?? false;
  };
  return find(file);
}

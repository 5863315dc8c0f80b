// Cells as JavaScript. The oracle is TypeScript's own `transpileModule`, which makes a program and a checker for each text.

import ts from "typescript";
import * as assert from "uvu/assert";
import { Emitter, emitOptions } from "../../../kernel/language/emit.ts";
import { random } from "../../../lib/tensor/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("cells as JavaScript");

/** Each asks the back end something that it cannot know without the names and constants of the module. */
const modules: readonly string[] = [
  "1 + 1",
  "const x = 5; enum E { A = x, B = E.A + 1, C = 'text'.length, D = B as any }",
  "enum E { A = F.A }",
  "const enum F { A = 1, B = A << 2 }\nF.B",
  "enum E { A = 'a', B = A + 'b', C = `-` }",
  "namespace N { export let a = 1; export namespace M { a++; export const b = a; ({ a, b }); [a] = [b] } }\nN.M.b",
  "namespace A.B { export class C { static self = new C() } export import D = A.B }",
  "namespace OnlyTypes { interface I {} }",
  "declare global { interface Array<T> { last(): T } enum F { A = 3 } }\nenum E { A = F.A, B }",
  "class C { static #x = C.name; #y = 1; f() { return this.#y ?? #y in this } accessor z = 2 }",
  "declare module 'fs' { interface Stats { z: 1 } }\nimport { type Stats, statSync } from 'fs'; let s: Stats",
  "@a @b() class C { static self = C; @c p; constructor(@d readonly q: number, private r?) {} @e get g() { return C } }",
  "import x = require('y'); import z = N.M; export = x",
  "import type { T } from 't'; import u, * as v from 'u'; export { u as w }; export * from 'm'; export default v",
  "/** @jsx h */ <a b={1} {...c}>text<>{d}</></a>",
  "using a = b(); for (await using c of d) c",
  "async function* g() { for await (const x of y) yield* x } label: for (var i = 0; ; ) break label",
  "const { a: { b: [c = 1, ...d] = [] } = {}, ...e } = f as any satisfies G; e!",
  "function over(a: string): void; function over(a: any) { arguments } let _a, _b; _a ??= _b?.[0]",
  "type T = { [K in keyof U]?: U[K] }; abstract class A<T = {}> extends B<T> { declare x: T; abstract f(): void }",
  "const broken: = 1; class {",
  "'use strict'; #!/x\n",
  "",
];

const unchanged: ts.TransformerFactory<ts.SourceFile> = () => (file) => file;

/** Text and source map, or what the compiler failed with. */
function outcome(emit: () => { readonly text: string; readonly sourceMap: string | undefined }): string {
  try {
    const { text, sourceMap } = emit();
    return `${text}\n${sourceMap}`;
  } catch (error) {
    return String(error);
  }
}

test("are what transpileModule makes of them, whatever was emitted before", () => {
  const seed = 5;
  const numbers = random(seed);
  const emitter = new Emitter();
  // More than one checker's worth.
  for (let count = 0; count < 250; count++) {
    const source = modules[Math.floor(numbers.nextUniform() * modules.length)];
    const fileName = `cell${count}.ts`;
    const ours = outcome(() => emitter.emit(source, fileName, unchanged));
    const theirs = outcome(() => {
      const { outputText, sourceMapText } = ts.transpileModule(source, { fileName, compilerOptions: emitOptions });
      return { text: outputText, sourceMap: sourceMapText };
    });
    assert.is(ours, theirs, `seed ${seed}, module ${count}: ${source}`);
  }
});

test.run();

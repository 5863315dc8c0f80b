import { ByteWriter } from "./bytes.ts";
import type { FunctionBuilder } from "./function-builder.ts";

/** WebAssembly's unit of memory. */
export const pageBytes = 65536;

/** A memory that a module imports as `host.memory`; pages are 64 KiB. */
export interface MemoryImport {
  readonly pages: number;
  readonly shared: boolean;
}

/** A function of a module; exported if it has a name. */
export interface ModuleFunction {
  readonly builder: FunctionBuilder;
  readonly name?: string;
}

/** A WebAssembly module that imports one memory and consists of `functions`, which call each other by position. */
export function encodeModule(memory: MemoryImport, functions: readonly ModuleFunction[]): Uint8Array<ArrayBuffer> {
  const module = new ByteWriter();
  module.append(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00));
  const section = (id: number, fill: (content: ByteWriter) => void): void => {
    const content = new ByteWriter();
    fill(content);
    module.byte(id);
    module.unsigned(content.length);
    module.append(content.bytes);
  };

  const arities = [...new Set(functions.map(({ builder }) => builder.parameters))];
  section(1, (types) => {
    types.unsigned(arities.length);
    for (const arity of arities) {
      types.byte(0x60);
      types.unsigned(arity);
      for (let i = 0; i < arity; i++) types.byte(0x7f);
      types.unsigned(0);
    }
  });
  section(2, (imports) => {
    imports.unsigned(1);
    imports.text("host");
    imports.text("memory");
    imports.byte(0x02);
    // Shared memories must state a maximum.
    imports.byte(memory.shared ? 0x03 : 0x00);
    imports.unsigned(memory.pages);
    if (memory.shared) imports.unsigned(memory.pages);
  });
  section(3, (declarations) => {
    declarations.unsigned(functions.length);
    for (const { builder } of functions) declarations.unsigned(arities.indexOf(builder.parameters));
  });
  section(7, (exports) => {
    exports.unsigned(functions.filter(({ name }) => name !== undefined).length);
    for (const [index, { name }] of functions.entries()) {
      if (name === undefined) continue;
      exports.text(name);
      exports.byte(0x00);
      exports.unsigned(index);
    }
  });
  section(10, (code) => {
    code.unsigned(functions.length);
    for (const { builder } of functions) {
      const body = builder.finish();
      code.unsigned(body.length);
      code.append(body);
    }
  });
  return module.bytes.slice();
}

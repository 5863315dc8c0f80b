import { expandBytes } from "../byte-inputs.ts";
import { pushConstant } from "./emit-expression.ts";
import { FunctionBuilder } from "./function-builder.ts";
import { encodeModule } from "./module.ts";
import type { PlainInstruction } from "./opcodes.ts";

/** Bytes that are loaded together. */
const bytesPerVector = 16;
/** Significant bits of a factor whose product with a byte is exact in float32. */
const exactBits = 16;

type Expand = (from: number, to: number, vectors: number) => void;

/** Turns bytes into numbers inside of a memory, sixteen at a time. */
export class ByteExpander {
  readonly #memory: WebAssembly.Memory;
  readonly #shared: { readonly pages: number; readonly shared: boolean };
  #scale = Number.NaN;
  #expand: Expand | null = null;

  /** @param pages the size of the memory, which is the largest it may have if it is shared */
  constructor(memory: WebAssembly.Memory, pages: number, shared: boolean) {
    this.#memory = memory;
    this.#shared = { pages, shared };
  }

  /** As `expandBytes` of all bytes, which lie in the last quarter of the numbers; both lie in the memory. */
  expand(bytes: Uint8Array, scale: number, numbers: Float32Array): void {
    if (scale !== this.#scale) {
      this.#expand = this.#compile(scale);
      this.#scale = scale;
    }
    const vectors = this.#expand === null ? 0 : Math.floor(bytes.length / bytesPerVector);
    this.#expand?.(bytes.byteOffset, numbers.byteOffset, vectors);
    expandBytes(bytes, scale, numbers, vectors * bytesPerVector);
  }

  #compile(scale: number): Expand | null {
    const factors = factorsOf(scale);
    if (factors === null) return null;
    const module = new WebAssembly.Module(encodeModule(this.#shared, [{ builder: expander(factors), name: "expand" }]));
    return new WebAssembly.Instance(module, { host: { memory: this.#memory } }).exports.expand as Expand;
  }
}

/** Two float32 that together do what a scale does, to the last bit. */
type Factors = readonly [high: number, low: number];

/**
 * A scale as the sum of two float32: products of bytes with the first are exact, and the second adds what is missing. The
 * sum is rounded as the product would be, except where that lies within 2⁻³⁹ of the middle between two numbers. All 256
 * bytes are tried; null if one differs.
 */
export function factorsOf(scale: number): Factors | null {
  if (!Number.isFinite(scale) || scale === 0) return null;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(scale))) + 1 - exactBits);
  const high = Math.fround(Math.round(scale / unit) * unit);
  const low = Math.fround(scale - high);
  for (let byte = 0; byte < 256; byte++) {
    const sum = Math.fround(Math.fround(byte * high) + Math.fround(byte * low));
    if (!Object.is(sum, Math.fround(byte * scale))) return null;
  }
  return [high, low];
}

function expander([high, low]: Factors): FunctionBuilder {
  const [from, to, vectors] = [0, 1, 2];
  const code = new FunctionBuilder(3);
  const [bytes, words, numbers] = [code.local("v128"), code.local("v128"), code.local("v128")];
  const halves = ["low", "high"] as const;
  code.get(vectors).when(() => {
    code.loop(() => {
      code.get(from).access("v128.load", 0).set(bytes);
      for (const [position, half] of halves.entries()) {
        const toWords: PlainInstruction = `i16x8.extend_${half}_i8x16_u`;
        code.get(bytes).op(toWords).set(words);
        for (const [within, quarter] of halves.entries()) {
          const toNumbers: PlainInstruction = `i32x4.extend_${quarter}_i16x8_u`;
          code.get(words).op(toNumbers, "f32x4.convert_i32x4_s").set(numbers);
          code.get(to);
          for (const factor of [high, low]) {
            code.get(numbers);
            pushConstant(code, "float", factor);
            code.op("f32x4.mul");
          }
          code.op("f32x4.add").access("v128.store", 16 * (2 * position + within));
        }
      }
      code.get(from).i32(bytesPerVector).op("i32.add").set(from);
      code
        .get(to)
        .i32(4 * bytesPerVector)
        .op("i32.add")
        .set(to);
      code.get(vectors).i32(1).op("i32.sub").tee(vectors).branchIf(0);
    });
  });
  return code;
}

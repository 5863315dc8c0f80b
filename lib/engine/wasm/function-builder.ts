import { ByteWriter } from "./bytes.ts";
import { type LaneInstruction, lane, type MemoryInstruction, memory, type PlainInstruction, plain } from "./opcodes.ts";

/** Types of locals: an address or counter, or four lanes. */
export type LocalType = "i32" | "v128";

const typeCodes: Readonly<Record<LocalType, number>> = { i32: 0x7f, v128: 0x7b };
const emptyBlock = 0x40;

/** Writes the body of one function that takes 32-bit integers and returns nothing. */
export class FunctionBuilder {
  readonly parameters: number;
  readonly #code = new ByteWriter();
  readonly #locals: LocalType[] = [];
  readonly #free: Record<LocalType, number[]> = { i32: [], v128: [] };

  constructor(parameters: number) {
    this.parameters = parameters;
  }

  /** A local that nobody else uses until it is released; it may hold anything. */
  local(type: LocalType): number {
    const free = this.#free[type].pop();
    if (free !== undefined) return free;
    this.#locals.push(type);
    return this.parameters + this.#locals.length - 1;
  }

  /** Lets a local be used for something else. */
  release(type: LocalType, local: number): void {
    this.#free[type].push(local);
  }

  op(...names: PlainInstruction[]): this {
    for (const name of names) this.#opcode(plain[name]);
    return this;
  }

  get(local: number): this {
    return this.#withIndex(0x20, local);
  }

  set(local: number): this {
    return this.#withIndex(0x21, local);
  }

  tee(local: number): this {
    return this.#withIndex(0x22, local);
  }

  i32(value: number): this {
    this.#code.byte(0x41);
    this.#code.signed(value | 0);
    return this;
  }

  i64(value: number): this {
    this.#code.byte(0x42);
    this.#code.signed(value);
    return this;
  }

  /** Four lanes of 32 bits each. */
  lanes(bits: readonly number[]): this {
    this.#opcode([0xfd, 0x0c]);
    for (const word of bits) for (const shift of [0, 8, 16, 24]) this.#code.byte((word >>> shift) & 255);
    return this;
  }

  /** Takes lanes from two vectors: 0–3 of the first, 4–7 of the second. */
  shuffle(lanes: readonly number[]): this {
    this.#opcode([0xfd, 0x0d]);
    for (const from of lanes) for (let byte = 0; byte < 4; byte++) this.#code.byte(4 * from + byte);
    return this;
  }

  /** An access at the address on the stack plus `offset` bytes. */
  access(name: MemoryInstruction, offset: number): this {
    this.#opcode(memory[name].code);
    this.#code.unsigned(memory[name].align);
    this.#code.unsigned(offset);
    return this;
  }

  /** An access to one lane at the address on the stack plus `offset` bytes. */
  accessLane(name: LaneInstruction, offset: number, index: number): this {
    this.#opcode(lane[name].code);
    this.#code.unsigned(lane[name].align);
    this.#code.unsigned(offset);
    this.#code.byte(index);
    return this;
  }

  call(index: number): this {
    return this.#withIndex(0x10, index);
  }

  /** `body` may leave by `branch(0)`. */
  block(body: () => void): this {
    return this.#nested(0x02, body);
  }

  /** `body` may begin again by `branch(0)`. */
  loop(body: () => void): this {
    return this.#nested(0x03, body);
  }

  /** Runs `body` if the number on the stack is not 0. */
  when(body: () => void): this {
    return this.#nested(0x04, body);
  }

  branch(depth: number): this {
    return this.#withIndex(0x0c, depth);
  }

  /** Branches if the number on the stack is not 0. */
  branchIf(depth: number): this {
    return this.#withIndex(0x0d, depth);
  }

  /** The body as the code section wants it: locals, instructions, end. */
  finish(): Uint8Array {
    const body = new ByteWriter();
    const runs: [number, LocalType][] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    body.unsigned(runs.length);
    for (const [count, type] of runs) {
      body.unsigned(count);
      body.byte(typeCodes[type]);
    }
    body.append(this.#code.bytes);
    body.byte(0x0b);
    return body.bytes;
  }

  #nested(code: number, body: () => void): this {
    this.#code.byte(code);
    this.#code.byte(emptyBlock);
    body();
    this.#code.byte(0x0b);
    return this;
  }

  #withIndex(code: number, index: number): this {
    this.#code.byte(code);
    this.#code.unsigned(index);
    return this;
  }

  #opcode(code: readonly number[]): void {
    if (code.length === 1) this.#code.byte(code[0]);
    else {
      this.#code.byte(code[0]);
      this.#code.unsigned(code[1]);
    }
  }
}

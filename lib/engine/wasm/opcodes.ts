// Instructions by the names of the WebAssembly specification: [opcode], or [prefix, opcode]. Only those that the
// emitter uses; relaxed ones are of the relaxed SIMD proposal (part of WebAssembly 3.0).
const simd = 0xfd;
const atomic = 0xfe;

/** Instructions without immediates. */
export const plain = {
  unreachable: [0x00],
  return: [0x0f],
  drop: [0x1a],
  "i32.eqz": [0x45],
  "i32.eq": [0x46],
  "i32.ne": [0x47],
  "i32.lt_u": [0x49],
  "i32.add": [0x6a],
  "i32.sub": [0x6b],
  "i32.mul": [0x6c],
  "i32.div_u": [0x6e],
  "i32x4.splat": [simd, 0x11],
  "f32x4.splat": [simd, 0x13],
  "i32x4.eq": [simd, 0x37],
  "i32x4.lt_s": [simd, 0x39],
  "i32x4.le_s": [simd, 0x3d],
  "f32x4.eq": [simd, 0x41],
  "f32x4.ne": [simd, 0x42],
  "f32x4.lt": [simd, 0x43],
  "f32x4.le": [simd, 0x45],
  "v128.and": [simd, 0x4e],
  "v128.andnot": [simd, 0x4f],
  "v128.or": [simd, 0x50],
  "v128.xor": [simd, 0x51],
  "v128.bitselect": [simd, 0x52],
  "f32x4.nearest": [simd, 0x6a],
  "i16x8.extend_low_i8x16_u": [simd, 0x89],
  "i16x8.extend_high_i8x16_u": [simd, 0x8a],
  "i32x4.extend_low_i16x8_u": [simd, 0xa9],
  "i32x4.extend_high_i16x8_u": [simd, 0xaa],
  "i32x4.shl": [simd, 0xab],
  "i32x4.shr_s": [simd, 0xac],
  "i32x4.add": [simd, 0xae],
  "i32x4.sub": [simd, 0xb1],
  "i32x4.mul": [simd, 0xb5],
  "i32x4.min_s": [simd, 0xb6],
  "i32x4.max_s": [simd, 0xb8],
  "f32x4.abs": [simd, 0xe0],
  "f32x4.neg": [simd, 0xe1],
  "f32x4.sqrt": [simd, 0xe3],
  "f32x4.add": [simd, 0xe4],
  "f32x4.sub": [simd, 0xe5],
  "f32x4.mul": [simd, 0xe6],
  "f32x4.div": [simd, 0xe7],
  "f32x4.min": [simd, 0xe8],
  "f32x4.max": [simd, 0xe9],
  "f32x4.pmin": [simd, 0xea],
  "f32x4.pmax": [simd, 0xeb],
  "i32x4.trunc_sat_f32x4_s": [simd, 0xf8],
  "f32x4.convert_i32x4_s": [simd, 0xfa],
  "f32x4.relaxed_madd": [simd, 0x105],
} as const satisfies Record<string, readonly number[]>;

/** Instructions with a memory immediate: opcode and the base-2 logarithm of the natural alignment. */
export const memory = {
  "v128.load": { code: [simd, 0x00], align: 4 },
  "v128.load32_splat": { code: [simd, 0x09], align: 2 },
  "v128.store": { code: [simd, 0x0b], align: 4 },
  "v128.load32_zero": { code: [simd, 0x5c], align: 2 },
  "v128.load64_zero": { code: [simd, 0x5d], align: 3 },
  "memory.atomic.notify": { code: [atomic, 0x00], align: 2 },
  "memory.atomic.wait32": { code: [atomic, 0x01], align: 2 },
  "i32.atomic.load": { code: [atomic, 0x10], align: 2 },
  "i32.atomic.store": { code: [atomic, 0x17], align: 2 },
  "i32.atomic.rmw.add": { code: [atomic, 0x1e], align: 2 },
  "i32.atomic.rmw.sub": { code: [atomic, 0x25], align: 2 },
} as const satisfies Record<string, { readonly code: readonly number[]; readonly align: number }>;

/** Instructions with a memory immediate and a lane. */
export const lane = {
  "v128.load32_lane": { code: [simd, 0x56], align: 2 },
  "v128.store32_lane": { code: [simd, 0x5a], align: 2 },
  "v128.store64_lane": { code: [simd, 0x5b], align: 3 },
} as const satisfies Record<string, { readonly code: readonly number[]; readonly align: number }>;

export type PlainInstruction = keyof typeof plain;
export type MemoryInstruction = keyof typeof memory;
export type LaneInstruction = keyof typeof lane;

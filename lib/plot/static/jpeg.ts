// A writer of baseline JPEG files (ITU-T T.81), for pictures so dense that a PNG is too large to be stored in a notebook.

/** Quantisation at quality 50, in rows (T.81, tables K.1 and K.2). */
const brightnessSteps = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
];
const colorSteps = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99,
];

/** Rows and columns of a block from corner to corner: entry i is the place of the i-th coefficient. */
const zigzag = makeZigzag();

function makeZigzag(): Uint8Array {
  const order = new Uint8Array(64);
  let at = 0;
  for (let diagonal = 0; diagonal < 15; diagonal++) {
    for (let step = 0; step <= diagonal; step++) {
      const [row, column] = diagonal % 2 === 0 ? [diagonal - step, step] : [step, diagonal - step];
      if (row < 8 && column < 8) order[at++] = 8 * row + column;
    }
  }
  return order;
}

/** A prefix code as a file tells it: how many words of each length from 1 to 16, and what they stand for. */
interface PrefixCode {
  readonly counts: readonly number[];
  readonly symbols: readonly number[];
}

// T.81, tables K.3 to K.6.
const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const meanCodes: readonly PrefixCode[] = [
  { counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], symbols: lengths },
  { counts: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], symbols: lengths },
];
const bytesOf = (hexadecimal: string): number[] => [...Buffer.from(hexadecimal, "hex")];
const detailCodes: readonly PrefixCode[] = [
  {
    counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
    symbols: bytesOf(
      "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a" +
        "434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8" +
        "a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
    ),
  },
  {
    counts: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
    symbols: bytesOf(
      "0001020311040521310612415107617113223281081442" +
        "91a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768" +
        "696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3" +
        "d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa",
    ),
  },
];

/** The word of each symbol and its length in bits, words counted up within each length (T.81, annex C). */
function wordsOf({ counts, symbols }: PrefixCode): { readonly words: Uint16Array; readonly bits: Uint8Array } {
  const words = new Uint16Array(256);
  const bits = new Uint8Array(256);
  let word = 0;
  let at = 0;
  counts.forEach((count, index) => {
    for (let turn = 0; turn < count; turn++) {
      words[symbols[at]] = word++;
      bits[symbols[at++]] = index + 1;
    }
    word <<= 1;
  });
  return { words, bits };
}

/** Cosines of the transform with its scale: entry 8 · frequency + place. */
const cosines = Float64Array.from({ length: 64 }, (_, index) => {
  const frequency = index >> 3;
  return (frequency === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * (index & 7) + 1) * frequency * Math.PI) / 16);
});

/** Bits on their way into a file. */
class BitWriter {
  readonly bytes: number[] = [];
  #word = 0;
  #bits = 0;

  write(value: number, bits: number): void {
    for (let bit = bits - 1; bit >= 0; bit--) {
      this.#word = (this.#word << 1) | ((value >>> bit) & 1);
      if (++this.#bits < 8) continue;
      this.bytes.push(this.#word);
      // After a byte of ones a nought tells that no marker begins here.
      if (this.#word === 255) this.bytes.push(0);
      this.#word = 0;
      this.#bits = 0;
    }
  }

  /** Fills the last byte with ones. */
  finish(): void {
    if (this.#bits > 0) this.write(255, 8 - this.#bits);
  }
}

/**
 * Writes an image as a JPEG file, every pixel with its own colour.
 *
 * @param pixels channels of each pixel from the top left: red, green, blue, and others that are left out
 * @param channels numbers a pixel in `pixels`: 3 or 4
 * @param quality from 1 to 100, as other programs count it
 */
export function jpeg(pixels: Uint8Array, width: number, height: number, channels: number, quality: number): Uint8Array {
  const scale = quality < 50 ? 50 / quality : 2 - quality / 50;
  const steps = [brightnessSteps, colorSteps].map((table) =>
    Uint8Array.from(table, (step) => Math.max(1, Math.min(255, Math.round(step * scale)))),
  );
  const codes = [0, 1].map((kind) => ({ mean: wordsOf(meanCodes[kind]), detail: wordsOf(detailCodes[kind]) }));
  const writer = new BitWriter();
  const block = new Float64Array(64);
  const rows = new Float64Array(64);
  const levels = new Int32Array(64);
  const lastMean = [0, 0, 0];
  // Brightness and two differences of colour (JFIF 1.02).
  const mixtures = [
    [0.299, 0.587, 0.114, -128],
    [-0.168736, -0.331264, 0.5, 0],
    [0.5, -0.418688, -0.081312, 0],
  ];
  for (let top = 0; top < height; top += 8) {
    for (let left = 0; left < width; left += 8) {
      for (let component = 0; component < 3; component++) {
        const [red, green, blue, shift] = mixtures[component];
        for (let place = 0; place < 64; place++) {
          // Beyond the edge the last row and column are repeated.
          const y = Math.min(height - 1, top + (place >> 3));
          const x = Math.min(width - 1, left + (place & 7));
          const at = channels * (y * width + x);
          block[place] = red * pixels[at] + green * pixels[at + 1] + blue * pixels[at + 2] + shift;
        }
        const kind = component === 0 ? 0 : 1;
        transform(block, rows, steps[kind], levels);
        lastMean[component] = writeBlock(writer, levels, lastMean[component], codes[kind].mean, codes[kind].detail);
      }
    }
  }
  writer.finish();
  return Buffer.concat([header(width, height, steps), Uint8Array.from(writer.bytes), Uint8Array.of(255, 0xd9)]);
}

/** The cosine transform of a block, divided by its steps and rounded, from the coarsest to the finest. */
function transform(block: Float64Array, rows: Float64Array, steps: Uint8Array, levels: Int32Array): void {
  for (let row = 0; row < 8; row++) {
    for (let frequency = 0; frequency < 8; frequency++) {
      let sum = 0;
      for (let place = 0; place < 8; place++) sum += cosines[8 * frequency + place] * block[8 * row + place];
      rows[8 * row + frequency] = sum;
    }
  }
  for (let index = 0; index < 64; index++) {
    const at = zigzag[index];
    let sum = 0;
    for (let row = 0; row < 8; row++) sum += cosines[8 * (at >> 3) + row] * rows[8 * row + (at & 7)];
    levels[index] = Math.round(sum / steps[at]);
  }
}

type Words = ReturnType<typeof wordsOf>;

/** Writes the mean as a difference to the last block's, then runs of noughts with the number that ends each. */
function writeBlock(writer: BitWriter, levels: Int32Array, lastMean: number, mean: Words, detail: Words): number {
  const difference = levels[0] - lastMean;
  const size = bitLength(difference);
  writer.write(mean.words[size], mean.bits[size]);
  writer.write(difference < 0 ? difference - 1 : difference, size);
  let noughts = 0;
  for (let index = 1; index < 64; index++) {
    const level = levels[index];
    if (level === 0) {
      noughts++;
      continue;
    }
    for (; noughts > 15; noughts -= 16) writer.write(detail.words[0xf0], detail.bits[0xf0]);
    const bits = bitLength(level);
    const symbol = (noughts << 4) | bits;
    writer.write(detail.words[symbol], detail.bits[symbol]);
    writer.write(level < 0 ? level - 1 : level, bits);
    noughts = 0;
  }
  if (noughts > 0) writer.write(detail.words[0], detail.bits[0]);
  return levels[0];
}

function bitLength(value: number): number {
  return 32 - Math.clz32(Math.abs(value));
}

/** Everything before the blocks: JFIF, steps, frame, codes, scan (T.81, annex B). */
function header(width: number, height: number, steps: readonly Uint8Array[]): Uint8Array {
  const segment = (marker: number, ...contents: number[]): number[] => {
    const length = contents.length + 2;
    return [255, marker, length >> 8, length & 255, ...contents];
  };
  const code = (name: number, { counts, symbols }: PrefixCode): number[] => segment(0xc4, name, ...counts, ...symbols);
  const components = [1, 2, 3].flatMap((component) => [component, 0x11, component === 1 ? 0 : 1]);
  return Uint8Array.from([
    ...[255, 0xd8],
    ...segment(0xe0, ...Buffer.from("JFIF\0"), 1, 2, 0, 0, 1, 0, 1, 0, 0),
    ...steps.flatMap((table, kind) => segment(0xdb, kind, ...Array.from(zigzag, (at) => table[at]))),
    ...segment(0xc0, 8, height >> 8, height & 255, width >> 8, width & 255, 3, ...components),
    ...[0, 1].flatMap((kind) => [...code(kind, meanCodes[kind]), ...code(16 + kind, detailCodes[kind])]),
    ...segment(0xda, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0),
  ]);
}

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { type CsvOptions, fashionMnist, readCsv, readIdx, readPngFolder } from "../../datasets/index.ts";
import { formatType } from "../../lib/tensor/index.ts";
import { suite } from "../support/suite.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const folder = temporaryFolder();

function put(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function message(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return "no error";
}

const csv = suite("tables of one's own");

csv("columns of numbers become inputs, and one of names becomes classes in the order of the names", async () => {
  const path = put(
    "flowers.csv",
    '\uFEFFlength,"width, in cm",kind\r\n1.5,2,rose\r\n-3e2, 4 ,"lily"\r\n5,6,rose\r\n\r\n',
  );
  const { name, inputs, targets, classes } = await readCsv(path);
  assert.is(name, "flowers.csv");
  assert.equal([formatType(inputs), [...inputs.data]], ["float32[3,2]", [1.5, 2, -300, 4, 5, 6]]);
  assert.equal([formatType(targets), [...targets.data], classes], ["int32[3]", [1, 0, 1], ["lily", "rose"]]);
});

csv("the target may be any column, a value or a class, with or without a first line of names", async () => {
  const path = put("numbers.csv", "a,b\n10,1\n2,0\n10,7\n");
  const value = await readCsv(path, { target: "a" });
  assert.equal([formatType(value.targets), [...value.targets.data]], ["float32[3,1]", [10, 2, 10]]);
  assert.equal([...value.inputs.data], [1, 0, 7]);
  const classes = await readCsv(path, { target: 0, classes: true });
  assert.equal(
    [[...classes.targets.data], classes.classes],
    [
      [1, 0, 1],
      ["2", "10"],
    ],
  );
  const bare = await readCsv(put("bare.csv", "1,2\n3,4"), { header: false });
  assert.equal([...bare.targets.data], [2, 4]);
});

csv("a bad cell is named with file, line and column", async () => {
  const said = (text: string, options?: CsvOptions): Promise<string> => message(readCsv(put("bad.csv", text), options));
  assert.match(
    await said("x,y\n1,2\nsmall,3\n"),
    /inputs must be numbers, got "small" in line 3, column x \(.*bad\.csv\)/,
  );
  assert.match(await said("x,y\n1,2\n,3\n"), 'got "" in line 3, column x');
  assert.match(await said("x,y\n1,2\n3\n"), "every line must have 2 cells, got 1 in line 3");
  assert.match(await said("x,y\n1,a\n", { classes: false }), 'values must be numbers, got "a" in line 2, column y');
  assert.match(await said("x,y\n1,2\n", { target: "z" }), 'the target must be a column, got "z"');
  assert.match(await said("x,y\n"), "there must be a line of at least two columns, got 0 lines of 2");
  assert.match(await said(""), "got 0 lines of 0");
  assert.match(await message(readCsv(join(folder, "none.csv"))), "csv: the file must exist, got none");
});

csv.run();

const idx = suite("IDX files of one's own");

const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4);
const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 2, 0);

idx("pictures and labels are read, compressed or not", async () => {
  const { inputs, targets, classes } = await readIdx(put("i", images), put("l.gz", gzipSync(labels)));
  assert.equal([formatType(inputs), [...inputs.data]], ["uint8[2,1,2]", [1, 2, 3, 4]]);
  assert.equal(
    [[...targets.data], classes],
    [
      [2, 0],
      ["0", "1", "2"],
    ],
  );
  assert.match(
    await message(readIdx(put("l", labels), put("i", images))),
    "images must be [n,h,w] bytes with n labels",
  );
});

idx("Fashion-MNIST says how to get it where it is not", async () => {
  const said = await message(fashionMnist({ folder: join(folder, "nowhere") }));
  assert.match(
    said,
    /^fashionMnist: the file must exist, got none \(.*ubyte or .*\); install Debian's package dataset-fashion-mnist/,
  );
});

idx.run();

const png = suite("pictures of one's own");

/** CRC-32 of PNG, bit by bit (PNG, third edition, annex D). */
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return ~value >>> 0;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Uint8Array.of(...new TextEncoder().encode(type), ...data);
  const bytes = new Uint8Array(8 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(body, 4);
  view.setUint32(4 + body.length, crc(body));
  return bytes;
}

/** A PNG file by hand: rows of bytes, unfiltered. Kinds of colour: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
function picture(
  width: number,
  depth: number,
  kind: number,
  rows: readonly (readonly number[])[],
  palette?: Uint8Array,
) {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, rows.length);
  header.set([depth, kind], 8);
  const data = deflateSync(Uint8Array.from(rows.flatMap((row) => [0, ...row])));
  return Buffer.concat([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    ...(palette === undefined ? [] : [chunk("PLTE", palette)]),
    chunk("IDAT", data),
    chunk("IEND", new Uint8Array()),
  ]);
}

png("folders are classes, and every kind of picture becomes bytes of grey", async () => {
  put(
    "pets/cat/1-grey.png",
    picture(3, 8, 0, [
      [0, 128, 255],
      [1, 2, 3],
    ]),
  );
  put("pets/cat/2-bits.png", picture(3, 1, 0, [[0b10100000], [0b01000000]]));
  put(
    "pets/cat/3-wide.PNG",
    picture(3, 16, 0, [
      [255, 255, 0, 0, 128, 128],
      [0, 0, 0, 0, 0, 0],
    ]),
  );
  put(
    "pets/dog/4-rgb.png",
    picture(3, 8, 2, [
      [255, 0, 0, 0, 255, 0, 0, 0, 255],
      [9, 9, 9, 0, 0, 0, 255, 255, 255],
    ]),
  );
  put(
    "pets/dog/5-clear.png",
    picture(3, 8, 4, [
      [200, 255, 200, 0, 100, 51],
      [0, 0, 0, 0, 0, 0],
    ]),
  );
  const colours = Uint8Array.of(0, 0, 0, 255, 255, 255, 10, 10, 10);
  put("pets/dog/6-palette.png", picture(3, 2, 3, [[0b00011000], [0b10000100]], colours));
  put("pets/readme.txt", "not a picture");
  const { name, inputs, scale, targets, classes } = await readPngFolder(join(folder, "pets"));
  assert.equal([name, formatType(inputs), scale], ["pets", "uint8[6,2,3]", 1 / 255]);
  assert.equal(
    [classes, [...targets.data]],
    [
      ["cat", "dog"],
      [0, 0, 0, 1, 1, 1],
    ],
  );
  const at = (index: number): number[] => [...inputs.data.slice(6 * index, 6 * index + 6)];
  assert.equal(at(0), [0, 128, 255, 1, 2, 3]);
  assert.equal(at(1), [255, 0, 255, 0, 255, 0]);
  assert.equal(at(2), [255, 0, 128, 0, 0, 0]);
  assert.equal(at(3), [76, 150, 29, 9, 0, 255], "luma of Rec. 601");
  assert.equal(at(4), [200, 0, 20, 0, 0, 0], "what is transparent is dark");
  assert.equal(at(5), [0, 255, 10, 10, 0, 255]);
});

png("colours come as three planes", async () => {
  put("flags/a/1.png", picture(2, 8, 6, [[255, 10, 20, 255, 40, 50, 60, 0]]));
  const { inputs } = await readPngFolder(join(folder, "flags"), { channels: "rgb" });
  assert.equal([formatType(inputs), [...inputs.data]], ["uint8[1,3,1,2]", [255, 0, 10, 0, 20, 0]]);
});

png("a picture that is damaged, of another size or too large is named", async () => {
  const good = picture(2, 8, 0, [[1, 2]]);
  const said = (other: Uint8Array): Promise<string> => {
    put("mixed/a/1.png", good);
    put("mixed/a/2.png", other);
    return message(readPngFolder(join(folder, "mixed")));
  };
  assert.match(await said(picture(1, 8, 0, [[1]])), /one size, 2 × 1 as the first one, got 1 × 1 \(.*2\.png\); scale/);
  assert.match(
    await said(good.subarray(0, 20)),
    /whole PNG file of at most 16777216 pixels, got 20 bytes \(.*2\.png\)/,
  );
  assert.match(await said(good.subarray(0, 45)), /whole PNG file .*2\.png/);
  const flipped = Uint8Array.from(good);
  flipped[45] ^= 1;
  assert.match(await said(flipped), /whole PNG file .*2\.png/);
  const claims = Uint8Array.from(good);
  new DataView(claims.buffer).setUint32(16, 2 ** 30);
  assert.match(await said(claims), "got 1073741824 × 1");
  assert.match(await said(new TextEncoder().encode("GIF89a, which is another format")), /whole PNG file/);
  assert.match(await message(readPngFolder(join(folder, "gone"))), "png: the folder must be there, got ENOENT");
  mkdirSync(join(folder, "empty"));
  assert.match(
    await message(readPngFolder(join(folder, "empty"))),
    "there must be a folder of .png files for each class",
  );
});

png.run();

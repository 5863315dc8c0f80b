import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { convertIndexedToRgb, type DecodedPng, decode } from "fast-png";
import { type Dataset, readWholeFile } from "../lib/formats/index.ts";
import { zeros } from "../lib/tensor/index.ts";

/** How pictures become numbers. */
export interface PngOptions {
  /** `grey`, [n, height, width], unless told otherwise; `rgb` gives [n, 3, height, width]. */
  readonly channels?: "grey" | "rgb";
}

/** Larger pictures are refused before they are unpacked: a small file may claim any size. */
const mostPixels = 2 ** 24;

/**
 * Reads a folder of PNG pictures of one size: every folder inside is a class, named as the folder, in the order of the
 * names. What is transparent is laid on black.
 *
 * @throws Error naming the folder without pictures, or the picture that is damaged or of another size
 */
export async function readPngFolder(folder: string, { channels = "grey" }: PngOptions = {}): Promise<Dataset> {
  const fail = (rule: string, got: string, remedy: string): never => {
    throw new Error(`png: ${rule}, got ${got}; ${remedy}`);
  };
  if (channels !== "grey" && channels !== "rgb") fail("channels must be grey or rgb", String(channels), "choose one");
  const files = await findPictures(folder);
  const classes = [...new Set(files.map(({ name }) => name))];
  if (files.length === 0) {
    fail("there must be a folder of .png files for each class", `none in ${folder}`, "check the path");
  }
  const depth = channels === "rgb" ? 3 : 1;
  let [width, height] = [0, 0];
  let data = new Uint8Array();
  for (const [index, { path }] of files.entries()) {
    const picture = decodePicture(path, await readWholeFile("png", path));
    if (index === 0) {
      [width, height] = [picture.width, picture.height];
      data = new Uint8Array(files.length * depth * width * height);
    } else if (picture.width !== width || picture.height !== height) {
      fail(
        `pictures must be of one size, ${width} × ${height} as the first one`,
        `${picture.width} × ${picture.height} (${path})`,
        "scale or cut them",
      );
    }
    const size = width * height;
    for (let pixel = 0; pixel < size; pixel++) {
      const [red, green, blue] = colourAt(picture, pixel);
      const at = index * depth * size + pixel;
      if (depth === 1) data[at] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
      else [data[at], data[at + size], data[at + 2 * size]] = [red, green, blue];
    }
  }
  const targets = zeros([files.length], "int32");
  for (const [index, { name }] of files.entries()) targets.data[index] = classes.indexOf(name);
  const shape = [files.length, ...(depth === 1 ? [] : [depth]), height, width];
  return {
    kind: "dataset",
    name: basename(folder),
    inputs: { shape, dtype: "uint8", data },
    scale: 1 / 255,
    targets,
    classes,
  };
}

async function findPictures(folder: string): Promise<{ readonly name: string; readonly path: string }[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`png: the folder must be there, got ${error.code} (${folder}); check the path`);
  });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  const found = await Promise.all(
    names.map(async (name) => {
      const inside = (await readdir(join(folder, name))).filter((file) => /\.png$/i.test(file)).sort();
      return inside.map((file) => ({ name, path: join(folder, name, file) }));
    }),
  );
  return found.flat();
}

function decodePicture(path: string, bytes: Uint8Array): DecodedPng {
  const fail = (got: string): never => {
    throw new Error(
      `png: a picture must be a whole PNG file of at most ${mostPixels} pixels, got ${got} (${path}); save it anew`,
    );
  };
  // Signature and length and name of the header take 16 bytes, width and height follow (PNG, third edition, 11.2.1).
  if (bytes.length < 24) fail(`${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width * height > mostPixels) fail(`${width} × ${height}`);
  try {
    const picture = decode(bytes, { checkCrc: true });
    if (picture.data.length === 0) fail("no pixels");
    return picture.palette === undefined ? picture : unfoldPalette(picture);
  } catch (error) {
    return fail(`"${(error as Error).message}"`);
  }
}

/** A picture of numbered colours as one of colours. */
function unfoldPalette(picture: DecodedPng): DecodedPng {
  const channels = picture.palette?.[0].length ?? 3;
  return { ...picture, data: convertIndexedToRgb(picture), depth: 8, channels };
}

/** Red, green and blue, 0 to 255, on black. */
function colourAt({ data, channels, depth, width }: DecodedPng, pixel: number): readonly [number, number, number] {
  const value = (channel: number): number => sampleAt(data, depth, width, channels, pixel, channel) / (2 ** depth - 1);
  const opacity = channels === 2 || channels === 4 ? value(channels - 1) : 1;
  const byte = (channel: number): number => Math.round(255 * opacity * value(channel));
  return channels < 3 ? [byte(0), byte(0), byte(0)] : [byte(0), byte(1), byte(2)];
}

/** One number of a pixel. Below eight bits several pixels share a byte, the first one in its highest bits. */
function sampleAt(
  data: DecodedPng["data"],
  depth: number,
  width: number,
  channels: number,
  pixel: number,
  channel: number,
): number {
  if (depth >= 8) return data[pixel * channels + channel];
  const bytesPerRow = Math.ceil((width * depth) / 8);
  const column = pixel % width;
  const byte = data[Math.floor(pixel / width) * bytesPerRow + Math.floor((column * depth) / 8)];
  return (byte >>> (8 - depth - ((column * depth) % 8))) & (2 ** depth - 1);
}

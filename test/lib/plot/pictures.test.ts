import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import * as assert from "uvu/assert";
import { bars, Figure, figures, images, line, memory, network } from "../../../lib/plot/index.ts";
import { packPayload, unpackPayload } from "../../../lib/plot/payload.ts";
import { palettePng } from "../../../lib/plot/static/palette-png.ts";
import { rasterise } from "../../../lib/plot/static/rasterise.ts";
import { suite } from "../../support/suite.ts";
import { sampleMemory } from "./samples.ts";
import { assertSoundDrawing, pngSize } from "./svg.ts";

const test = suite("pictures and files");

/** Decodes a PNG with resvg's own decoder: red, green, blue, alpha of each pixel. */
function decode(png: Uint8Array): Uint8Array {
  const { width, height } = pngSize(png);
  const href = `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" height="${height}" image-rendering="optimizeSpeed" href="${href}"/></svg>`;
  return new Resvg(svg).render().pixels;
}

/** Ink of an image in the drawing: area of all its paths, by shade. */
function inkArea(svg: SVGSVGElement): number {
  const paths = [...svg.querySelectorAll('[shape-rendering="crispEdges"] path')];
  return paths.reduce((sum, path) => {
    const runs = path.getAttribute("d")!.matchAll(/h([\d.]+)v([\d.]+)/g);
    return sum + [...runs].reduce((area, [, width, height]) => area + Number(width) * Number(height), 0);
  }, 0);
}

const digit = Uint8Array.from({ length: 784 }, (_, index) => (index % 28 > 9 && index % 28 < 15 ? 255 : 0));

test("an image is drawn pixel by pixel: as much ink as it has dark pixels", async () => {
  const svg = assertSoundDrawing(await images([digit, digit, digit]).svg());
  const pixel = 4;
  assert.is(inkArea(svg), 3 * 28 * 5 * pixel * pixel);
});

test("wrong predictions are told below their images and counted", async () => {
  const figure = images([digit, digit, digit], { labels: [1, 7, 4], predictions: [1, 2, 4] });
  const svg = assertSoundDrawing(await figure.svg());
  assert.match(svg.textContent!, /7, not 2/);
  assert.match(figure.summary, /3 images of 28 × 28 pixels, 1 taken for something else/);
});

test("a long list of images is cut, and the caption says so", async () => {
  const figure = images(new Array<Uint8Array>(123).fill(digit), { limit: 20 });
  assert.match(assertSoundDrawing(await figure.svg()).textContent!, /The first 20 of 123 images/);
});

test("a data set shows its images, and what it holds where there are none", async () => {
  const dataset = {
    kind: "dataset" as const,
    name: "two",
    scale: 1 / 255,
    inputs: { shape: [2, 28, 28], dtype: "uint8" as const, data: Uint8Array.from([...digit, ...digit]) },
    targets: { shape: [2], dtype: "int32" as const, data: Int32Array.of(1, 0) },
    classes: ["zero", "one"],
  };
  const figure = figures.dataset(dataset);
  assert.instance(figure, Figure);
  assert.match(await (figure as Figure).svg(), />one<[\s\S]*>zero</);
  assert.match(await images(dataset, { predictions: [0, 0] }).svg(), />one, not zero<[\s\S]*>zero</);
  const flat = { ...dataset, inputs: { ...dataset.inputs, shape: [2, 784] } };
  assert.match(String(figures.dataset(flat)), /uint8\[2,784\]/);
});

test("a network is drawn with every weight between the neurons shown, and its parameters are counted", async () => {
  const small = network([3, 4, 2]);
  const svg = assertSoundDrawing(await small.svg());
  const lines = [...svg.querySelectorAll("path")].flatMap((path) => path.getAttribute("d")!.match(/M/g) ?? []);
  assert.is(lines.length, 3 * 4 + 4 * 2);
  assert.is(svg.querySelectorAll("circle").length, 3 + 4 + 2);
  assert.match(network([784, 128, 10]).summary, /101,632 weights and 138 biases: 101,770 parameters/);
  for (const sizes of [
    [784, 128, 10],
    [784, ...new Array<number>(8).fill(64), 10],
    [1, 1],
  ]) {
    assertSoundDrawing(await network(sizes).svg());
  }
});

test("images and networks that cannot be drawn are refused with what to give instead", () => {
  assert.throws(() => images([new Float32Array(780)], { size: [28, 28] }), /28 × 28 pixels, got 780 \(image 0\)/);
  assert.throws(() => images([digit, digit], { labels: [1] }), /a label for each image, got 1 for 2/);
  assert.throws(
    () => images({ shape: [4], dtype: "uint8", data: new Uint8Array(4) }),
    /\[images, rows, columns\], got \[4\]/,
  );
  assert.throws(() => network([784]), /at least two layers/);
  assert.throws(() => network([784, 0, 10]), /at least one neuron, got \[784,0,10\]/);
});

test("a picture is the same, byte for byte, whenever it is drawn", async () => {
  const draw = async (): Promise<Uint8Array> => memory(sampleMemory([784, 128, 10], 64)).png();
  assert.equal(await draw(), await draw());
});

test("a PNG with a palette decodes to the image that was drawn", async () => {
  const svg = await memory(sampleMemory([784, 128, 10], 64)).svg();
  const small = decode(rasterise(svg, 1));
  const image = new Resvg(svg, { font: { loadSystemFonts: false } }).render();
  assert.is(small.length, image.pixels.length);

  // Four colours with all degrees of opacity, multiplied with it as the rasteriser gives them.
  const pixels = Uint8Array.from([
    0, 0, 0, 0, 100, 50, 0, 128, 255, 255, 255, 255, 10, 20, 30, 255, 1, 2, 3, 255, 0, 0, 0, 255,
  ]);
  const exact = decode(palettePng(pixels, 3, 2)!);
  for (const [index, value] of pixels.entries())
    assert.ok(Math.abs(exact[index] - value) <= 1, `byte ${index}: ${exact[index]} for ${value}`);
});

test("few colours too many are replaced by close ones, and many too many are not", () => {
  const close = Uint8Array.from({ length: 400 * 4 }, (_, index) =>
    index % 4 === 3 ? 255 : index % 4 === 0 ? Math.floor(index / 4) % 200 : Math.floor(index / 800),
  );
  const decoded = decode(palettePng(close, 400, 1)!);
  const worst = close.reduce((most, value, index) => Math.max(most, Math.abs(value - decoded[index])), 0);
  assert.ok(worst <= 12, `off by ${worst}`);
  const cube = Uint8Array.from({ length: 4096 * 4 }, (_, index) => {
    const color = Math.floor(index / 4);
    return [(color & 15) * 17, ((color >> 4) & 15) * 17, ((color >> 8) & 15) * 17, 255][index % 4];
  });
  assert.ok(palettePng(cube, 64, 64) === null);
});

test("text outside of the shipped font falls back to the machine's own and still draws", async () => {
  const figure = bars({ 数字: 3, "δ → ∞": 4 });
  assertSoundDrawing(await figure.svg());
  assert.ok((await figure.png()).length > 1000);
});

test("a figure is saved in the form that the file's ending names, and nothing half-written stays", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tessera-figure-"));
  try {
    const figure = line([1, 2, 3], { title: "a <b> & c" });
    for (const ending of ["png", "svg", "json"]) await figure.save(join(folder, `x.${ending}`));
    pngSize(readFileSync(join(folder, "x.png")));
    const svg = readFileSync(join(folder, "x.svg"), "utf8");
    // A drawing in a file of its own brings the letters that it is measured with, in the weights that it uses.
    const faces = [...svg.matchAll(/font-family:Inter;font-weight:(\d+);src:url\(data:font\/woff2;base64,([^)]+)\)/g)];
    assert.equal(
      faces.map(([, weight, font]) => [weight, Buffer.from(font, "base64").toString("latin1", 0, 4)]),
      [
        ["400", "wOF2"],
        ["600", "wOF2"],
      ],
    );
    assertSoundDrawing(svg.replace(/<style>.*?<\/style>/, ""));
    assert.is(JSON.parse(readFileSync(join(folder, "x.json"), "utf8")).data.data[0].y.length, 3);
    let message = "";
    await figure.save(join(folder, "x.gif")).catch((error: Error) => (message = error.message));
    assert.match(
      message,
      /figure\.save: the file's ending must be one of \.png, \.jpg, \.svg, \.html, \.json, got "\.gif"/,
    );
    assert.equal(readdirSync(folder).sort(), ["x.json", "x.png", "x.svg"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("stored data come back as they were, short and long, and damage is named", async () => {
  for (const length of [3, 100_000]) {
    const data = { values: Array.from({ length }, (_, index) => index * 0.5), name: "ünï" };
    const stored = JSON.parse(JSON.stringify(await packPayload("memory", data)));
    assert.equal(await unpackPayload(stored), { kind: "memory", data });
    assert.is("encoding" in stored, length > 3);
  }
  for (const [stored, expected] of [
    [{}, /version 1 with a kind, got version undefined/],
    [{ version: 2, kind: "memory", data: {} }, /got version 2/],
    [{ version: 1, kind: "memory", encoding: "zip", data: "" }, /plain or gzip\+base64, got zip/],
  ] as const) {
    let message = "";
    await unpackPayload(stored).catch((error: Error) => (message = error.message));
    assert.match(message, expected);
  }
});

test("a figure shows itself by the kernel's protocol, and prints as its one line", async () => {
  const figure = line([1, 2, 3], { title: "three" });
  type Shown = readonly [Record<string, unknown>, Record<string, unknown>];
  const show = (figure as unknown as Record<symbol, () => Promise<Shown>>)[Symbol.for("Jupyter.display")];
  const [bundle, metadata] = await show.call(figure);
  const { width, height } = pngSize(Buffer.from(bundle["image/png"] as string, "base64"));
  assert.equal(metadata, { "image/png": { width: width / 2, height: height / 2 } });
  assert.equal(Object.keys(bundle), ["application/vnd.plotly.v1+json", "image/png", "text/plain"]);
  assert.is(String(figure), bundle["text/plain"]);
});

test.run();

import { Resvg } from "@resvg/resvg-js";
import * as assert from "uvu/assert";
import { bigPicture, type VertexGraph } from "../../../lib/plot/index.ts";
import { jpeg } from "../../../lib/plot/static/jpeg.ts";
import { truecolorPng } from "../../../lib/plot/static/truecolor-png.ts";
import { layoutBlocks } from "../../../lib/plot/vertices/block-layout.ts";
import { divideIntoBlocks, joinBlocks } from "../../../lib/plot/vertices/blocks.ts";
import { coarsen } from "../../../lib/plot/vertices/coarsen.ts";
import { RunDrawer } from "../../../lib/plot/vertices/draw-run.ts";
import { drawScene } from "../../../lib/plot/vertices/draw-scene.ts";
import { chance } from "../../../lib/plot/vertices/hash.ts";
import { buildQuadtree, repel } from "../../../lib/plot/vertices/quadtree.ts";
import { buildScene, type Scene } from "../../../lib/plot/vertices/scene.ts";
import { suite } from "../../support/suite.ts";
import { assertSoundDrawing, pngSize } from "./svg.ts";
import { sampleVertices } from "./vertex-samples.ts";

const test = suite("big pictures");
const sample = sampleVertices(4, 200, 3);

function sceneOf(graph: VertexGraph, width: number): Scene {
  const blocks = divideIntoBlocks(graph, 200);
  return buildScene(graph, blocks, layoutBlocks(graph, blocks), width);
}

const whole = ({ width, height }: Pick<Scene, "width" | "height">) => ({ zoom: 1, left: 0, top: 0, width, height });

test("blocks hold every vertex once, in order, and never two sections", () => {
  for (const wanted of [1, 7, 300, 1600]) {
    const { count, starts, section } = divideIntoBlocks(sample, wanted);
    assert.is(starts[0], 0);
    assert.is(starts[count], sample.vertexCount);
    for (let block = 0; block < count; block++) {
      assert.ok(starts[block] < starts[block + 1]);
      const { start, end } = sample.sections[section[block]];
      assert.ok(starts[block] >= start && starts[block + 1] <= end);
    }
  }
});

test("edges between blocks are those counted one by one", () => {
  const blocks = divideIntoBlocks(sample, 100);
  const blockOf = (vertex: number): number => blocks.starts.findLastIndex((start) => start <= vertex);
  const expected = new Map<string, number>();
  const [{ starts, producers }] = sample.edges;
  for (let vertex = 0; vertex < sample.vertexCount; vertex++) {
    for (let edge = starts[vertex]; edge < starts[vertex + 1]; edge++) {
      const [from, to] = [blockOf(producers[edge]), blockOf(vertex)];
      if (from !== to) expected.set(`${from} ${to}`, (expected.get(`${from} ${to}`) ?? 0) + 1);
    }
  }
  const { from, to, weight } = joinBlocks(sample, blocks);
  const joined = new Map(Array.from(from, (block, edge) => [`${block} ${to[edge]}`, weight[edge]]));
  assert.is(joined.size, from.length, "each pair once");
  assert.equal(joined, expected);
});

test("what works for a hub is joined with it, what exchanges with many alike stays, and no exchange is lost", () => {
  // Two hubs with five leaves each, and a node between them and three others.
  const pairs: readonly (readonly [number, number, number])[] = [
    ...[2, 3, 4, 5, 6].map((leaf) => [0, leaf, 10] as const),
    ...[7, 8, 9, 10, 11].map((leaf) => [leaf, 1, 10] as const),
    ...[0, 1, 13, 14, 15].map((other) => [12, other, 4] as const),
    [13, 14, 1],
    [14, 15, 1],
    [15, 13, 1],
    [2, 7, 1],
  ];
  const edges = {
    from: Uint32Array.from(pairs, ([from]) => from),
    to: Uint32Array.from(pairs, ([, to]) => to),
    weight: Float64Array.from(pairs, ([, , weight]) => weight),
  };
  const { count, coarseOf, centers, edges: joined } = coarsen(16, edges);
  assert.is(coarseOf[0], coarseOf[6]);
  assert.is(coarseOf[1], coarseOf[11]);
  assert.is.not(coarseOf[0], coarseOf[1]);
  assert.is(centers[coarseOf[0]], 0);
  assert.ok(coarseOf.every((node) => node < count) && centers.every((node, coarse) => coarseOf[node] === coarse));
  const inside = pairs.filter(([from, to]) => coarseOf[from] === coarseOf[to]);
  const sum = (weights: Iterable<number>): number => [...weights].reduce((total, weight) => total + weight, 0);
  assert.is(sum(joined.weight) + sum(inside.map(([, , weight]) => weight)), sum(edges.weight));
  assert.is(new Set(Array.from(joined.from, (from, edge) => `${from} ${joined.to[edge]}`)).size, joined.from.length);
});

test("the push of far nodes, taken together, is nearly that of each of them", () => {
  const count = 500;
  const x = Float64Array.from({ length: count }, (_, node) => chance(3 * node) * 100);
  const y = Float64Array.from({ length: count }, (_, node) => chance(3 * node + 1) * 60);
  const mass = Float64Array.from({ length: count }, (_, node) => 1 + chance(3 * node + 2));
  const [forceX, forceY] = [new Float64Array(count), new Float64Array(count)];
  repel(buildQuadtree(x, y, mass), x, y, mass, 2, forceX, forceY);
  let wrong = 0;
  let all = 0;
  for (let node = 0; node < count; node++) {
    let [exactX, exactY] = [0, 0];
    for (let other = 0; other < count; other++) {
      if (other === node) continue;
      const [dx, dy] = [x[node] - x[other], y[node] - y[other]];
      const push = (2 * mass[node] * mass[other]) / (dx * dx + dy * dy);
      exactX += dx * push;
      exactY += dy * push;
    }
    wrong += Math.hypot(forceX[node] - exactX, forceY[node] - exactY);
    all += Math.hypot(exactX, exactY);
  }
  assert.ok(wrong / all < 0.05, `${((100 * wrong) / all).toFixed(1)} % of the forces`);
});

test("nodes at the same place do not push each other out of the numbers", () => {
  const same = new Float64Array(40).fill(1);
  const force = new Float64Array(40);
  repel(buildQuadtree(same, same, same), same, same, same, 1, force, force);
  assert.ok(force.every(Number.isFinite));
});

test("every edge is drawn, wherever it lies, and adds light", async () => {
  const scene = sceneOf(sample, 500);
  const { light, edges } = await drawScene(scene, sample, whole(scene), 1);
  assert.is(edges.lines + edges.curves, 3 * 200 * 7);
  assert.is(edges.outside, 0);
  assert.ok(light.some((value) => value > 0));
  for (let vertex = 0; vertex < sample.vertexCount; vertex += 97) {
    const [x, y] = scene.places.subarray(2 * vertex);
    const pixel = Math.floor(y) * scene.width + Math.floor(x);
    assert.ok(
      light.subarray(3 * pixel, 3 * pixel + 3).some((value) => value > 0),
      `vertex ${vertex} shines`,
    );
  }
});

/** A scene of so many colours, one vertex of each, all at one place but the last, which reads all others `times` times. */
function star(others: number, times: number, [lastX, lastY]: readonly [number, number]) {
  const places = new Float32Array(new SharedArrayBuffer(8 * (others + 1))).fill(20.5);
  places.set([lastX, lastY], 2 * others);
  const vertices = Array.from({ length: others + 1 }, (_, vertex) => vertex);
  const scene = {
    places,
    unitOf: new Uint16Array(new SharedArrayBuffer(2 * (others + 1))),
    units: vertices.map((vertex) => ({
      section: vertex,
      start: vertex,
      end: vertex + 1,
      color: [vertex + 1, 0, 1] as const,
    })),
    width: 101,
    height: 67,
  };
  scene.unitOf.set(vertices);
  const producers = Uint32Array.from({ length: others * times }, (_, edge) => edge % others);
  const starts = new Uint32Array(others + 2);
  starts[others + 1] = producers.length;
  const drawer = new RunDrawer({ scene, view: whole(scene), pointsPerCurve: 5 });
  drawer.draw({ firstVertex: 0, starts, producers });
  return drawer.drawn;
}

test("every pixel gets all the light of the edges through it, however many they are, in however many colours", () => {
  const [others, times] = [30, 700];
  const channel = (light: Float64Array, offset: number): number =>
    light.reduce((sum, value, index) => sum + (index % 3 === offset ? value : 0), 0);
  const near = star(others, times, [20.6, 20.4]);
  assert.equal(near.edges, { lines: others * times, curves: 0, outside: 0 });
  // A vertex weighs four, a line of one pixel one in its consumer's colour.
  const pixel = 20 * 101 + 20;
  assert.is(near.light[3 * pixel + 2], 4 * (others + 1) + others * times);
  assert.is(near.light[3 * pixel], (4 * (others + 1) * (others + 2)) / 2 + others * times * (others + 1));
  assert.is(channel(near.light, 2), near.light[3 * pixel + 2]);
  const far = star(others, times, [80, 50]);
  assert.equal(far.edges, { lines: 0, curves: others * times, outside: 0 });
  // Five points of a curve weigh two each, in the colour of one end or the other.
  assert.is(channel(far.light, 2), 4 * (others + 1) + 5 * 2 * others * times);
  const vertices = (4 * (others + 1) * (others + 2)) / 2;
  const meanOfOthers = (others + 1) / 2;
  const share = (channel(far.light, 0) - vertices) / (5 * 2 * others * times);
  assert.ok(Math.abs(share - (meanOfOthers + others + 1) / 2) < 0.25, `mean colour ${share}`);
});

test("one, two and four threads draw the same picture to the bit", async () => {
  const figures = await Promise.all([1, 2, 4].map((threads) => bigPicture(sample, { width: 500, threads })));
  const [one, two, four] = await Promise.all(figures.map((figure) => figure.png()));
  assert.ok(Buffer.from(one).equals(two), "one and two threads");
  assert.ok(Buffer.from(one).equals(four), "one and four threads");
});

test("edges in several runs are the same picture as in one", async () => {
  const [{ starts, producers }] = sample.edges;
  const half = 700;
  const parts = [
    { firstVertex: 0, starts: starts.slice(0, half + 1), producers: producers.slice(0, starts[half]) },
    {
      firstVertex: half,
      starts: starts.slice(half).map((start) => start - starts[half]),
      producers: producers.slice(starts[half]),
    },
  ];
  const split = { ...sample, edges: parts };
  const [scene, splitScene] = [sceneOf(sample, 400), sceneOf(split, 400)];
  assert.equal(scene.blockX, splitScene.blockX);
  const [one, other] = await Promise.all([
    drawScene(scene, sample, whole(scene), 1),
    drawScene(splitScene, split, whole(splitScene), 1),
  ]);
  assert.equal(one.edges, other.edges);
  assert.ok(one.light.every((value, channel) => value === other.light[channel]));
});

test("a layer is shown enlarged, and the caption tells how many edges lie elsewhere", async () => {
  const star = sampleVertices(6, 60, 2);
  const figure = await bigPicture(star, { width: 400, layer: "dense3" });
  const [, elsewhere] = /([\d,]+) lie elsewhere/.exec(figure.summary)!;
  const count = Number(elsewhere.replaceAll(",", ""));
  assert.ok(count > 0 && count < 2 * 60 * 11, figure.summary);
});

test("the card is sound, counts what it shows, and is stored as a JPEG with its size", async () => {
  const figure = await bigPicture(sample, { width: 500 });
  const svg = await figure.svg();
  const drawing = assertSoundDrawing(svg.replace(/base64,[^"]*/, "base64,"));
  assert.match(drawing.textContent!, /1,600 vertices and 4,200 edges from producer to consumer; every edge drawn/);
  assert.match(drawing.textContent!, /dense3/);
  // The card is dark, as the picture is; so are the corners that it leaves free.
  assert.match(svg, /<rect[^>]*fill="#15181e"/);
  const [bundle, metadata] = await figure.display();
  assert.equal(Object.keys(bundle), ["application/vnd.tessera.v1+json", "image/jpeg", "text/plain"]);
  assert.ok(JSON.stringify(bundle).length < 1_000_000);
  assert.equal(Object.keys(metadata), ["image/jpeg"]);
});

test("a graph of one vertex has a picture, and one of none says so", async () => {
  const one: VertexGraph = {
    ...sample,
    vertexCount: 1,
    sections: [{ ...sample.sections[0], end: 1 }],
    edges: [{ firstVertex: 0, starts: Uint32Array.of(0, 0), producers: new Uint32Array(0) }],
  };
  pngSize(await (await bigPicture(one, { width: 200 })).png());
  const none: VertexGraph = { ...sample, vertexCount: 0, sections: [], edges: [] };
  assert.match((await bigPicture(none)).summary, /no vertices/);
});

test("what is wrong with a graph is told before anything is drawn", async () => {
  const [run] = sample.edges;
  const cases: readonly (readonly [VertexGraph, RegExp, string?])[] = [
    [{ ...sample, sections: sample.sections.slice(1) }, /sections must cover the vertices in order, got 200 to 400/],
    [{ ...sample, sections: sample.sections.slice(0, -1) }, /sections must cover all vertices, got 1400 of 1600/],
    [{ ...sample, edges: [] }, /runs of edges must cover all vertices, got 0 of 1600/],
    [{ ...sample, edges: [{ ...run, firstVertex: 1 }] }, /runs of edges must follow each other/],
    [
      { ...sample, edges: [{ ...run, producers: run.producers.map(() => 9999) }] },
      /producers must be vertices, got 9999/,
    ],
    [sample, /the layer must be one of the graph's, got "conv9"; there are dense1/, "conv9"],
  ];
  for (const [graph, expected, layer] of cases) {
    let message = "";
    await bigPicture(graph, { width: 200, ...(layer !== undefined && { layer }) }).catch(
      (error: Error) => (message = error.message),
    );
    assert.match(message, expected);
  }
});

/** Decodes a picture file with resvg's own decoders: red, green, blue, alpha of each pixel. */
function decode(file: Uint8Array, type: string, width: number, height: number): Uint8Array {
  const href = `data:image/${type};base64,${Buffer.from(file).toString("base64")}`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" height="${height}" image-rendering="optimizeSpeed" href="${href}"/></svg>`;
  return new Resvg(svg).render().pixels;
}

/** A picture with smooth and rough places, the size no multiple of eight. */
function testPicture(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: 3 * width * height }, (_, index) => {
    const [pixel, channel] = [Math.floor(index / 3), index % 3];
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    if (x > width / 2) return 128 + 100 * Math.sin(x / 9 + channel) * Math.cos(y / 7);
    return 255 * chance(Math.floor(x / 3) + 100 * Math.floor(y / 3) + 10_000 * channel);
  });
}

test("a PNG of all colours is read back exactly", () => {
  const [width, height] = [61, 43];
  const pixels = testPicture(width, height);
  const read = decode(truecolorPng(pixels, width, height), "png", width, height);
  assert.ok(
    read.every((value, index) => value === (index % 4 === 3 ? 255 : pixels[Math.floor(index / 4) * 3 + (index % 4)])),
  );
});

test("a JPEG is read back nearly, and the nearer the higher its quality", () => {
  const [width, height] = [61, 43];
  const pixels = testPicture(width, height);
  const error = (quality: number): number => {
    const read = decode(jpeg(pixels, width, height, 3, quality), "jpeg", width, height);
    const squares = pixels.reduce(
      (sum, value, index) => sum + (value - read[Math.floor(index / 3) * 4 + (index % 3)]) ** 2,
      0,
    );
    return Math.sqrt(squares / pixels.length);
  };
  assert.ok(error(100) < 1.5, `quality 100: ${error(100)}`);
  assert.ok(error(85) < 12, `quality 85: ${error(85)}`);
  assert.ok(error(85) > error(95) && error(95) > error(100));
});

test.run();

// Pictures as they were when somebody last looked at them, in test/lib/plot/kept. After a change that is meant, look at the
// new ones and renew them: `TESSERA_RENEW_PICTURES=1 npm test -- lib/plot/kept`.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { convertIndexedToRgb, decode } from "fast-png";
import * as assert from "uvu/assert";
import { BlockEngine, compile, devices, lower, nn } from "../../../lib/index.ts";
import {
  bars,
  bigPicture,
  compareMemory,
  confusion,
  curves,
  execution,
  type Figure,
  graph,
  histogram,
  images,
  line,
  memory,
  network,
  programTree,
  scatter,
  tileMemory,
} from "../../../lib/plot/index.ts";
import { projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { sampleGraph, sampleHistory, sampleMemory } from "./samples.ts";
import { sampleVertices } from "./vertex-samples.ts";

const test = suite("kept pictures");
const folder = join(projectRoot, "test/lib/plot/kept");
const renew = process.env.TESSERA_RENEW_PICTURES === "1";

/** A step of a channel that no eye sees, and how many pixels may be farther off: letters' edges move between versions. */
const tolerance = 24;
const mostOff = 0.01;

const wave = Array.from({ length: 400 }, (_, index) => Math.sin(index * 12.9898) ** 3);
const model = nn.sequential([nn.flatten(), nn.dense(16), nn.relu(), nn.dense(16), nn.relu(), nn.dense(10)], {
  input: [12, 12],
  seed: 1,
});
const recipe = { optimizer: nn.sgd({ rate: 0.1 }), batch: 8 };
const deep = nn.sequential([nn.flatten(), ...nn.repeat(6, [nn.dense(16), nn.relu()]), nn.dense(10)], {
  input: [12, 12],
  seed: 1,
});
const checkpointed = compile(deep, { ...recipe, memory: "checkpoint" });
const machine = new BlockEngine(lower(compile(model, recipe), devices.gc200)).run();
const digit = Uint8Array.from({ length: 784 }, (_, index) => (index % 28 > 9 && index % 28 < 15 ? 255 : 0));

const kinds: Readonly<Record<string, () => Figure | Promise<Figure>>> = {
  bars: () => bars({ weights: { shallow: 3, deep: 4 }, activations: { shallow: 2, deep: 5 } }),
  "big-picture": () => bigPicture(sampleVertices(6, 40, 3), { title: "vertices", threads: 1 }),
  confusion: () => confusion([[97, 1, 2], [3, 88, 7], [0, 2, 101]]), // biome-ignore format: a matrix
  curves: () => curves({ one: [1, 2, 3].map((seed) => sampleHistory("one", seed, 0.02)) }),
  execution: () => execution(machine.report()),
  graph: () => graph(sampleGraph([784, 128, 10], 64, "shallow")),
  "graph-recomputed": () => graph(checkpointed.graph),
  histogram: () => histogram({ before: wave, after: wave.map((value) => value / 2) }),
  images: () => images([digit, digit], { labels: [1, 7], predictions: [1, 1] }),
  line: () => line({ up: [1, 2, 4, 8, 16], down: [16, 8, 4, 2, 1] }, { x: "step", y: "bytes" }),
  memory: () => memory(sampleMemory([784, 64, 64, 10], 64, "three layers")),
  "memory-and-graph": () => memory(checkpointed.memory, { graph: checkpointed.graph }),
  "memory-comparison": () =>
    compareMemory({ one: sampleMemory([784, 64, 10], 64), other: sampleMemory([784, 64, 64, 10], 64) }),
  network: () => network([784, 128, 10]),
  placeholder: () => line([]),
  "program-tree": () => programTree(machine.programTree()),
  scatter: () => scatter({ x: [1, 2, 3], y: [3, 1, 2], labels: ["keep", "reuse", "checkpoint"] }),
  "tile-memory": () => tileMemory(machine.report().memory),
};

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: ArrayLike<number>;
}

function readPng(bytes: Uint8Array): Pixels {
  const image = decode(bytes);
  const { width, height } = image;
  if (!image.palette) return { width, height, channels: image.channels, data: image.data };
  return { width, height, channels: image.palette[0].length, data: convertIndexedToRgb(image) };
}

for (const [kind, draw] of Object.entries(kinds)) {
  test(`${kind} looks as it did`, async () => {
    const drawn = await (await draw()).png(0.5);
    const file = join(folder, `${kind}.png`);
    if (renew) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, drawn);
    }
    assert.ok(existsSync(file), `${file} is kept; renew it after looking`);
    const [now, kept] = [readPng(drawn), readPng(readFileSync(file))];
    assert.equal([now.width, now.height, now.channels], [kept.width, kept.height, kept.channels], "size");
    let off = 0;
    const count = now.width * now.height;
    for (let pixel = 0; pixel < count; pixel++) {
      for (let channel = 0; channel < now.channels; channel++) {
        const at = pixel * now.channels + channel;
        if (Math.abs(now.data[at] - kept.data[at]) <= tolerance) continue;
        off++;
        break;
      }
    }
    assert.ok(off <= mostOff * count, `${off} of ${count} pixels differ`);
  });
}

test.run();

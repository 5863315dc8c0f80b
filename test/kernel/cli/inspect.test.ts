import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { devices } from "../../../lib/graph/index.ts";
import { importModel } from "../../../lib/import/index.ts";
import { lower } from "../../../lib/lowering/index.ts";
import { crossEntropy } from "../../../lib/nn/index.ts";
import { machines, runLayered, simulate } from "../../../lib/simulator/index.ts";
import { compile } from "../../../lib/training/index.ts";
import { projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("tessera inspect");

function inspect(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const program = join(projectRoot, "dist/kernel/cli/main.js");
  return spawnSync(process.execPath, [program, "inspect", ...args], { encoding: "utf8" });
}

const residual = join(projectRoot, "test/fixtures/onnx/residual-script.onnx");

test("a file's parameters, work, memory by strategy and layers are told, and stand on a page of its own", async () => {
  const page = join(temporaryFolder(), "residual.html");
  const { status, stdout, stderr } = inspect(residual, "--batch", "4", "--device", "lecture", "--page", page);
  assert.is(status, 0, stderr);
  // As torch counts them: see residual.json beside the file.
  const { parameters } = JSON.parse(await readFile(join(projectRoot, "test/fixtures/onnx/residual.json"), "utf8"));
  assert.match(stdout, new RegExp(`parameters +${parameters} `));
  assert.match(stdout, /a sample +\[1,8,8\] to \[3\]/);
  for (const strategy of ["keep-everything", "reuse", "checkpoint"])
    assert.match(stdout, new RegExp(`^${strategy} `, "m"));
  assert.match(stdout, /of Lecture's 1 MiB/);
  const { cycles, memory } = simulate(
    lower(compile(await importModel(residual), { batch: 4, loss: crossEntropy(), memory: "reuse" }), devices.lecture),
  );
  const fullest = Math.max(...memory.peak).toLocaleString("en");
  assert.match(stdout, new RegExp(`^reuse +16 +${fullest} B +${cycles.toLocaleString("en")} +[\\d.]+ ms +yes$`, "m"));
  // 4 pictures, 4 filters of 3 × 3 over 1 channel at 4 × 4 places, a multiplication and an addition each.
  assert.match(stdout, /^conv1 +convolution\(Conv\) +\[4,4,4\] +36 +1 KiB +4\.61 kFLOP$/m);
  const html = await readFile(page, "utf8");
  assert.is((html.match(/<img alt="[^"]+" src="data:image\/svg\+xml;base64,/g) ?? []).length, 4);
  assert.not.match(html, /(src|href)="(?!data:)/);
});

test("what does not fit on a device's tiles is said by how many tiles and bytes", () => {
  const page = join(temporaryFolder(), "large.html");
  const { status, stdout, stderr } = inspect(
    residual,
    ...["--batch", "2000", "--device", "lecture", "--strategy", "reuse", "--page", page],
  );
  assert.is(status, 0, stderr);
  assert.match(stdout, /^reuse +16 +[\d,]+ B +[\d,]+ +[\d.]+ ms +no: 16 tiles have too little, by up to [\d,]+ B$/m);
});

test("a machine like a GPU takes the network layer by layer, in single and half precision", async () => {
  const page = join(temporaryFolder(), "layers.html");
  const { status, stdout, stderr } = inspect(residual, "--device", "gpu", "--strategy", "reuse", "--page", page);
  assert.is(status, 0, stderr);
  const { training } = compile(await importModel(residual), { batch: 1, loss: crossEntropy(), memory: "reuse" });
  for (const precision of ["single", "half"] as const) {
    const { seconds } = runLayered(training.schedule, machines.gpu, precision);
    assert.match(stdout, new RegExp(`^reuse +${precision} +${(1e3 * seconds).toPrecision(4)} ms +[\\d.e-]+ mJ `, "m"));
  }
});

test("a network is told of without the weights that lie elsewhere: ResNet-50 as torch exports it", () => {
  const page = join(temporaryFolder(), "resnet50.html");
  const file = join(projectRoot, "notebooks/models/resnet50.onnx");
  const { status, stdout, stderr } = inspect(file, "--strategy", "reuse", "--page", page);
  assert.is(status, 0, stderr);
  assert.match(stdout, /parameters +25,557,032 \(97\.5 MiB/);
  assert.match(stdout, /^layer4\/2\/conv3 +convolution\(Conv\) +\[2048,7,7\] +1,048,576 /m);
});

test("strategies are those that are asked for, and Keras models are read as well", async () => {
  const page = join(temporaryFolder(), "words.html");
  const words = join(projectRoot, "test/fixtures/keras/words.keras");
  const { status, stdout, stderr } = inspect(words, "--strategy", "float16", "--page", page);
  assert.is(status, 0, stderr);
  assert.match(stdout, /^float16 /m);
  assert.not.match(stdout, /^reuse /m);
});

test("what is misspelt or cannot be read is bad input, said in one line", () => {
  const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [[residual, "--strategy", "magic"], /^--strategy: memory: a strategy must be known, got "magic"; there are/],
    [[residual, "--device", "abacus"], /^--device: must be one of gc2, .*gpu, cpu, got abacus/],
    [[residual, "--batch", "none"], /^--batch: must be a whole number/],
    [[join(projectRoot, "package.json")], /package\.json: a model\.json must hold modelTopology/],
    [[], /^inspect: there must be one file/],
  ];
  for (const [args, message] of cases) {
    const { status, stderr } = inspect(...args);
    assert.is(status, 2, stderr);
    assert.match(stderr, message);
  }
});

test.run();

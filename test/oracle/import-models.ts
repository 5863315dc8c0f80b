// Asks PyTorch and onnxruntime about whole files: `npm run oracle-import [-- --keep FOLDER --only PART]`, PART being chains,
// changed or files. Long chains are read, and files with bytes changed; torch writes networks as ONNX files, which are
// imported, answered, exported again and answered by onnxruntime. Needs a Python with torch, onnx, onnxscript and
// onnxruntime at TESSERA_PYTHON or in .venv.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exportModel, importModel } from "../../lib/import/index.ts";
import { readKeras } from "../../lib/import/keras/read-keras.ts";
import { readTfjs } from "../../lib/import/keras/read-tfjs.ts";
import { writeMessage } from "../../lib/import/onnx/protobuf.ts";
import { readOnnx } from "../../lib/import/onnx/read-onnx.ts";
import { modelFields } from "../../lib/import/onnx/schema.ts";
import { crossEntropy } from "../../lib/nn/index.ts";
import { Random, tensor } from "../../lib/tensor/index.ts";
import { accountMemory, compile } from "../../lib/training/index.ts";
import { findPython, projectRoot } from "../support/environment.ts";

interface Facts {
  readonly torch: string;
  readonly parameters: number;
  readonly folded: number;
  readonly shape: number[];
  readonly input: number[];
  readonly output: number[];
}

function run(python: string, script: string, folder: string): string {
  const { status, stdout, stderr } = spawnSync(python, [join(projectRoot, script), folder], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${script}: must end well, got exit code ${status}: ${stderr.slice(-2000)}`);
  return stdout;
}

function difference(made: ArrayLike<number>, expected: readonly number[]): number {
  let [largest, most] = [0, 0];
  for (const [index, number] of expected.entries()) {
    largest = Math.max(largest, Math.abs(number));
    most = Math.max(most, Math.abs(made[index] - number));
  }
  return most / largest;
}

const milliseconds = (since: number): string => `${Math.round(performance.now() - since)} ms`;

/** Every file of torch's: answers, counts, times, and the way back through onnxruntime. */
async function wholeFiles(python: string, folder: string): Promise<boolean> {
  if (!existsSync(join(folder, "mlp.json"))) run(python, "test/oracle/torch_models.py", folder);
  const exported = join(folder, "exported");
  mkdirSync(exported, { recursive: true });
  const answers: Record<string, unknown> = {};
  let good = true;
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".onnx"))) {
    const [name, exporter] = file.replace(".onnx", "").split("-");
    const facts: Facts = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
    const begun = performance.now();
    const model = await importModel(join(folder, file));
    const imported = milliseconds(begun);
    const program = compile(model, { batch: 2, loss: crossEntropy(), threads: 1 });
    const { arenaBytes } = program.memory;
    accountMemory(model);
    const accounted = milliseconds(begun);
    const { data } = await program.predict(tensor(facts.input, { shape: facts.shape }));
    program.dispose();
    const apart = difference(data as Float32Array, facts.output);
    const wanted = exporter === "dynamo" ? facts.parameters - facts.folded : facts.parameters;
    await exportModel(model, join(exported, `${name}-${exporter}.onnx`));
    answers[`${name}-${exporter}`] = { shape: facts.shape, input: facts.input, output: [...(data as Float32Array)] };
    good &&= apart <= 1e-4 && model.parameterCount === wanted;
    console.log(
      `  ${file.padEnd(26)} ${apart.toExponential(1)}   ${model.parameterCount} parameters of ${wanted}   imported ${imported}, compiled and accounted ${accounted} (${(arenaBytes / 2 ** 20).toFixed(1)} MiB)`,
    );
  }
  writeFileSync(join(exported, "facts.json"), JSON.stringify(answers));
  const apart: Readonly<Record<string, number>> = JSON.parse(
    run(python, "test/fixtures/onnx/run_exported.py", exported),
  );
  const worst = Math.max(...Object.values(apart));
  console.log(
    `  imported, exported, accepted by onnx.checker, answered by onnxruntime: at most ${worst.toExponential(1)} apart`,
  );
  return good && worst <= 1e-5;
}

/** A chain of layers, each with a weight of its own. */
function chain(nodes: number): Uint8Array {
  const weight = new Uint8Array(Float32Array.of(1, 0, 0, 1).buffer);
  return writeMessage(modelFields, {
    irVersion: 9,
    operatorSets: [{ domain: "", version: 18 }],
    graph: {
      name: "chain",
      nodes: Array.from({ length: nodes }, (_, index) => ({
        operator: index % 2 === 0 ? "MatMul" : "Relu",
        inputs: index % 2 === 0 ? [`t${index}`, `layer${index}.weight`] : [`t${index}`],
        outputs: [`t${index + 1}`],
        name: `node${index}`,
      })),
      initializers: Array.from({ length: nodes / 2 }, (_, index) => ({
        name: `layer${2 * index}.weight`,
        dims: [2, 2],
        dataType: 1,
        rawData: weight,
      })),
      inputs: [
        { name: "t0", type: { tensor: { elementType: 1, shape: { dimensions: [{ value: 1 }, { value: 2 }] } } } },
      ],
      outputs: [{ name: `t${nodes}` }],
    },
  });
}

async function longChains(): Promise<void> {
  const times: string[] = [];
  for (const nodes of [12_500, 25_000, 50_000]) {
    const bytes = chain(nodes);
    const each: number[] = [];
    for (let round = 0; round < 3; round++) {
      const begun = process.cpuUsage();
      await readOnnx(bytes, "chain.onnx", {});
      each.push(process.cpuUsage(begun).user / 1000);
    }
    times.push(`${nodes} nodes in ${Math.round(each.sort((a, b) => a - b)[1])} ms`);
  }
  console.log(`  chains, half of the nodes with a weight: ${times.join(", ")} of processor time (medians of 3)`);
}

const rounds = 10_000;

/** Ten thousand files with up to four bytes changed, of each format: all must be imported, or refused by name. */
async function changedFiles(): Promise<boolean> {
  const fixtures = join(projectRoot, "test/fixtures");
  const json = join(fixtures, "tfjs/branches/model.json");
  const subjects: readonly (readonly [string, string, (bytes: Uint8Array) => unknown])[] = [
    ["ONNX", "onnx/residual-script.onnx", (bytes) => readOnnx(bytes, "changed", {})],
    ["Keras", "keras/words.keras", (bytes) => readKeras(bytes, "changed", {})],
    ["TensorFlow.js", "tfjs/branches/model.json", (bytes) => readTfjs(bytes, json, {})],
  ];
  let good = true;
  for (const [name, fixture, read] of subjects) {
    const bytes = new Uint8Array(readFileSync(join(fixtures, fixture)));
    const random = new Random(1, 1);
    const counts = { imported: 0, refused: 0, nameless: 0 };
    let [slowest, most] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      const changed = bytes.slice();
      for (let change = 0; change <= round % 4; change++) {
        changed[Math.floor(random.nextUniform() * changed.length)] = Math.floor(random.nextUniform() * 256);
      }
      const begun = performance.now();
      try {
        await read(changed);
        counts.imported++;
      } catch (error) {
        const { message } = error as Error;
        if (message.startsWith("changed") || message.startsWith(json)) counts.refused++;
        else if (++counts.nameless < 5) console.log(`    ${name}, round ${round}: ${message}`);
      }
      slowest = Math.max(slowest, performance.now() - begun);
      if (round % 50 === 0) most = Math.max(most, process.memoryUsage.rss());
    }
    good &&= counts.nameless === 0;
    console.log(
      `  ${name}: of ${rounds} changed files ${counts.imported} imported, ${counts.refused} refused by name, ${counts.nameless} otherwise; the slowest ${Math.round(slowest)} ms, at most ${Math.round(most / 2 ** 20)} MiB resident`,
    );
  }
  return good;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { keep: { type: "string" }, only: { type: "string" } } });
  const asked = (part: string): boolean => values.only === undefined || values.only === part;
  if (asked("chains")) await longChains();
  if (asked("changed")) console.log("bad input");
  const named = !asked("changed") || (await changedFiles());
  if (!asked("files")) return named ? 0 : 1;
  const found = findPython("torch", "onnx", "onnxscript", "onnxruntime");
  if ("missing" in found) {
    console.error(
      `oracle-import: PyTorch must be there, got ${found.missing}; run pip install torch==2.13.0 onnx onnxscript onnxruntime`,
    );
    return 1;
  }
  console.log("files of torch's exporters: largest difference to torch's outputs, relative to the largest of them");
  const folder = values.keep ?? mkdtempSync(join(tmpdir(), "torch-models-"));
  mkdirSync(folder, { recursive: true });
  try {
    const good = await wholeFiles(found.python, folder);
    console.log(good && named ? "all within bounds" : "oracle-import: some figure is out of bounds");
    return good && named ? 0 : 1;
  } finally {
    if (values.keep === undefined) rmSync(folder, { recursive: true });
  }
}

process.exitCode = await main();

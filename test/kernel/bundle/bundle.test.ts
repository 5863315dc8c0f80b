import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { bundled } from "../../../kernel/bundle/index.ts";
import { projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const bundle = suite("The bundle of the library");

const kernel = join(projectRoot, "dist/kernel");
const moduleOf = (path: string): string => new URL(path, `file://${kernel}/`).href;

bundle.before(() => {
  // Compiled by hand, without the rest of `npm run build`.
  if (bundled(moduleOf("preload.js")) !== moduleOf("preload.js")) return;
  const { status, stderr } = spawnSync(process.execPath, [join(kernel, "bundle/build.js")], { encoding: "utf8" });
  assert.is(status, 0, stderr);
});

for (const path of ["preload.js", "course/realms/grader.js", "course/realms/student.js"]) {
  bundle(`stands for ${path}`, () => {
    assert.match(bundled(moduleOf(path)), /\/dist\/kernel\/bundle\/files\//);
  });
}

bundle("leaves every other module to itself", () => {
  assert.is(bundled(moduleOf("main.js")), moduleOf("main.js"));
  assert.is(bundled("file:///elsewhere/preload.js"), "file:///elsewhere/preload.js");
});

bundle("exports what the modules export, under the same names of functions and classes", async () => {
  const modules = (await import(moduleOf("preload.js"))) as Record<string, unknown>;
  const own = (await import(bundled(moduleOf("preload.js")))) as Record<string, unknown>;
  const named = (exports: Record<string, unknown>): string[] =>
    Object.entries(exports).map(
      ([name, value]) => `${name} ${typeof value === "function" ? value.name : typeof value}`,
    );
  assert.equal(named(own), named(modules));
});

bundle("finds what lies beside the modules: data, threads, fonts", async () => {
  const library = (await import(bundled(moduleOf("preload.js")))) as typeof import("../../../kernel/preload.ts");
  const { datasets, nn, compile, plot, sliceDataset } = library;
  const { train } = await datasets.mnist();
  const model = nn.sequential([nn.flatten(), nn.dense(256), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 });
  const program = compile(model, { batch: 256, threads: 2, optimizer: nn.sgd({ rate: 0.1 }) });
  const { epochs } = await program.fit(sliceDataset(train, 0, 512), { epochs: 1, progress: false });
  program.dispose();
  assert.ok(epochs[0].loss > 0 && epochs[0].loss < 3, String(epochs[0].loss));
  const [data] = await plot.line([1, 4, 9], { title: "Squares" }).display();
  assert.type(data["image/png"], "string");
});

bundle("gives way to modules that were compiled after it", async () => {
  const folder = temporaryFolder();
  const copy = join(folder, "dist/kernel/bundle");
  mkdirSync(join(copy, "files"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  cpSync(join(kernel, "bundle/bundled.js"), join(copy, "bundled.js"));
  const module = pathToFileURL(join(folder, "dist/kernel/preload.js")).href;
  const twin = pathToFileURL(join(copy, "files/preload.js")).href;
  const fresh = (await import(pathToFileURL(join(copy, "bundled.js")).href)) as { readonly bundled: typeof bundled };
  assert.is(fresh.bundled(module), module, "there is no bundle");
  writeFileSync(fileURLToPath(twin), "");
  assert.is(fresh.bundled(module), twin, "nothing was compiled here");
  const compiled = join(folder, "dist/.tsbuildinfo");
  writeFileSync(compiled, "");
  utimesSync(compiled, 1000, 1000);
  assert.is(fresh.bundled(module), twin, "compiled before");
  utimesSync(fileURLToPath(twin), 999, 999);
  assert.is(fresh.bundled(module), module, "compiled after");
});

bundle("carries the licences of the packages in it", () => {
  const text = readFileSync(fileURLToPath(moduleOf("bundle/files/third-party-licenses.txt")), "utf8");
  for (const name of ["d3", "linkedom", "fast-png"]) assert.match(text, new RegExp(`^${name} \\d`, "m"));
});

bundle.run();

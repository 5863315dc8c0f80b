import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";
import * as assert from "uvu/assert";
import { projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";

const test = suite("the JupyterLab extension as built");
const folder = join(projectRoot, "dist/labextension");
const builder = join(projectRoot, "dist/kernel/labextension/build.js");

interface Manifest {
  readonly name: string;
  readonly jupyterlab: { readonly _build: { readonly load: string; readonly mimeExtension: string } };
}

test.before(() => {
  const { status, stderr } = spawnSync(process.execPath, [builder], { encoding: "utf8" });
  assert.is(status, 0, stderr);
});

const readManifest = (): Manifest => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

test("the manifest names a script that is there", () => {
  const { name, jupyterlab } = readManifest();
  assert.is(name, "tessera");
  assert.ok(existsSync(join(folder, jupyterlab._build.load)));
});

test("the script registers a container whose module renders both MIME types, in untrusted notebooks too", async () => {
  const { load, mimeExtension } = readManifest().jupyterlab._build;
  interface Container {
    init(modules: unknown): void;
    get(name: string): Promise<
      () => {
        default: {
          rendererFactory: { safe: boolean; mimeTypes: readonly string[]; createRenderer(options: unknown): object };
        };
      }
    >;
  }
  const window: { _JUPYTERLAB?: { tessera: Container } } = {};
  const document = {
    currentScript: { src: "http://localhost/labextensions/tessera/static/x.js" },
    documentElement: {},
  };
  vm.runInNewContext(readFileSync(join(folder, load), "utf8"), { window, document, URL });
  const container = window._JUPYTERLAB!.tessera;

  let refusal = "";
  await container.get("./other").catch((error: Error) => (refusal = error.message));
  assert.match(refusal, /has \.\/mimeExtension and \.\/extension, got \.\/other/);
  await container.get(mimeExtension).catch((error: Error) => (refusal = error.message));
  assert.match(refusal, /must share @lumino\/widgets/);

  class Widget {
    addClass(): void {}
    dispose(): void {}
  }
  container.init({ "@lumino/widgets": { "2.7.0": { get: async () => () => ({ Widget }) } } });
  const { rendererFactory } = (await container.get(mimeExtension))().default;
  assert.is(rendererFactory.safe, true);
  assert.equal([...rendererFactory.mimeTypes], ["application/vnd.tessera.v1+json", "application/vnd.plotly.v1+json"]);
  assert.ok(rendererFactory.createRenderer({ mimeType: rendererFactory.mimeTypes[0] }) instanceof Widget);
});

test("nothing in the folder points to the network for its code", () => {
  const { load } = readManifest().jupyterlab._build;
  const code = readFileSync(join(folder, load), "utf8");
  assert.not.match(code, /cdn|unpkg|jsdelivr|googleapis/i);
  assert.ok(readdirSync(join(folder, "static")).some((file) => /^plotly\.[0-9a-f]+\.js$/.test(file)));
});

test("licences of what is bundled travel with it", () => {
  const text = readFileSync(join(folder, "third-party-licenses.txt"), "utf8");
  for (const name of ["d3-shape", "plotly.js", "Inter"]) assert.ok(text.includes(name), name);
});

test("a second build with nothing changed does nothing", () => {
  const before = statSync(join(folder, "package.json")).mtimeMs;
  const { status } = spawnSync(process.execPath, [builder]);
  assert.is(status, 0);
  assert.is(statSync(join(folder, "package.json")).mtimeMs, before);
});

test.run();

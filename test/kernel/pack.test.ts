// The packed package as others get it: installed from its tarball, outside of the project, in a clean environment.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { findPython, projectRoot } from "../support/environment.ts";
import { suite } from "../support/suite.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const python = findPython("nbclient", "ipykernel");
const missing = "missing" in python ? python.missing : registryAnswers() ? "" : "no package registry answers npm view";
const test = suite("the packed package", missing !== "" && missing);

function registryAnswers(): boolean {
  return spawnSync("npm", ["view", "tslab", "version"], { timeout: 30_000 }).status === 0;
}

const folder = temporaryFolder();
const home = join(folder, "home");

/** How this machine reaches the registry: npm's own configuration and cache, and what leads through a proxy. */
function registryAccess(): Record<string, string> {
  const ask = (key: string): string => spawnSync("npm", ["config", "get", key], { encoding: "utf8" }).stdout.trim();
  const network = Object.entries(process.env).filter(([name]) =>
    /^(https?_proxy|no_proxy|.*_CERTS?(_FILE)?)$/i.test(name),
  );
  return {
    ...(Object.fromEntries(network) as Record<string, string>),
    npm_config_cache: ask("cache"),
    npm_config_userconfig: ask("userconfig"),
  };
}

/** Nothing of the project's or the user's: only where programs are. And nothing can be compiled. */
function run(
  program: string,
  given: readonly string[],
  options: { cwd: string; extra?: Record<string, string> },
): string {
  const none = "/nonexistent";
  const { status, stdout, stderr } = spawnSync(program, given, {
    cwd: options.cwd,
    encoding: "utf8",
    env: {
      PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: home,
      ...{ CC: none, CXX: none, PYTHON: none },
      ...(program === "npm" ? registryAccess() : {}),
      ...options.extra,
    },
  });
  assert.is(status, 0, `${program} ${given.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs a notebook by Jupyter's own client, with the kernel from one data folder, and returns what its last cell showed. */
function runInJupyter(dataFolder: string, cwd: string): string {
  if ("missing" in python) throw new Error(`internal: ${python.missing}`);
  const cell = (source: string): object => ({
    cell_type: "code",
    id: source.slice(0, 4),
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  });
  const metadata = { kernelspec: { name: "tessera", display_name: "Tessera", language: "typescript" } };
  const cells = [
    cell("const x: number = tensor([1, 2]).shape[0]"),
    cell("import { datasets as same } from 'tessera'; [x, same === datasets].join()"),
  ];
  const file = join(cwd, "packed.ipynb");
  writeFileSync(file, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }));
  run(python.python, ["-m", "jupyter", "execute", "--inplace", file], {
    cwd,
    extra: { JUPYTER_DATA_DIR: dataFolder, JUPYTER_PREFER_ENV_PATH: "0" },
  });
  const [, last] = JSON.parse(readFileSync(file, "utf8")).cells;
  return [last.outputs[0].data["text/plain"]].flat().join("");
}

let tarball = "";
test.before(() => {
  for (const name of ["home", "local", "elsewhere/deep"]) mkdirSync(join(folder, name), { recursive: true });
  // The build is there: these tests are part of it.
  const packed = spawnSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder], {
    cwd: projectRoot,
    encoding: "utf8",
  });
  tarball = join(folder, packed.stdout.trim().split("\n").at(-1) ?? "");
  assert.ok(existsSync(tarball), packed.stderr);
});

const quietly = ["--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];

test("installed into an empty folder, gives a kernel that works from any working directory", () => {
  const local = join(folder, "local");
  // By itself npm would look for a project in the folders above.
  run("npm", ["install", "--prefix", local, ...quietly, tarball], { cwd: local });
  const prefix = join(folder, "prefix");
  run(join(local, "node_modules/.bin/tessera"), ["install", "--prefix", prefix], { cwd: join(folder, "elsewhere") });
  assert.is(runInJupyter(join(prefix, "share/jupyter"), join(folder, "elsewhere/deep")), "'2,true'");
});

test("installed globally, makes itself known to the user's and to an environment's Jupyter", () => {
  const global = join(folder, "global");
  run("npm", ["install", "--global", "--prefix", global, ...quietly, tarball], { cwd: folder });
  const tessera = join(global, "bin/tessera");
  run(tessera, ["install", "--user"], { cwd: folder });
  assert.is(runInJupyter(join(home, ".local/share/jupyter"), join(folder, "elsewhere")), "'2,true'");
  const environment = join(folder, "environment");
  run(tessera, ["install", "--sys-prefix"], { cwd: folder, extra: { VIRTUAL_ENV: environment } });
  assert.is(runInJupyter(join(environment, "share/jupyter"), join(folder, "elsewhere")), "'2,true'");
});

test("gives a script the names that a notebook sees", () => {
  const script = join(folder, "local/script.mjs");
  writeFileSync(
    script,
    "import { datasets, nn, tensor } from 'tessera'; console.log(typeof datasets.mnist, typeof nn.dense, tensor([1, 2]).shape[0])",
  );
  assert.is(run(process.execPath, [script], { cwd: join(folder, "local") }), "function function 2\n");
});

test.run();

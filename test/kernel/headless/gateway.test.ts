import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { findPython } from "../../support/environment.ts";
import { type JupyterServer, startJupyter } from "../../support/jupyter-server.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { code, notebookOf } from "./fixtures.ts";
import { folderWith, outputsIn, tessera } from "./run-command.ts";

const found = findPython("kernel_gateway");
const test = suite("tessera run on a kernel gateway", "missing" in found && found.missing);

const token = "secret-of-the-test";
let gateway: JupyterServer;

test.before(async () => {
  if ("missing" in found) return;
  gateway = await startJupyter(found.python, "kernel_gateway", temporaryFolder(), token);
});
test.after(() => gateway?.stop());

test("executes there, for the user whom the environment names", async () => {
  const folder = folderWith({ "one.ipynb": notebookOf(code("process.env.KERNEL_USERNAME"), code("6 * 7")) });
  const out = join(folder, "out");
  const address = ["--out", out, "--server", gateway.url, "--token", token];
  const run = await tessera(["run", join(folder, "one.ipynb"), ...address], {
    environment: { KERNEL_USERNAME: "ada" },
  });
  assert.is(run.code, 0, run.stderr);
  const shown = JSON.stringify(await outputsIn(join(out, "one.ipynb")));
  assert.match(shown, /ada/);
  assert.match(shown, /42/);
});

test("a kernel beyond the quota fails its notebook in the gateway's words, and the next is tried all the same", async () => {
  const taken = await fetch(`${gateway.url}api/kernels?token=${token}`, { method: "POST", body: "{}" });
  assert.is(taken.status, 201);
  const folder = folderWith({ "one.ipynb": notebookOf(code("1")), "two.ipynb": notebookOf(code("2")) });
  const out = join(folder, "out");
  const junit = join(out, "junit.xml");
  const address = ["--out", out, "--junit", junit, "--server", gateway.url, "--token", token];
  const run = await tessera(["run", join(folder, "*.ipynb"), ...address]);
  assert.is(run.code, 3, run.stderr);
  const refused = /cell 1 of 1 failed: KernelRefused: server: must start a kernel, got 403 Resource Limit/g;
  assert.is(run.stderr.match(refused)?.length, 2, run.stderr);
  for (const name of ["one", "two"]) {
    assert.match(readFileSync(join(out, `${name}.ipynb`), "utf8"), /This run stopped.*KernelRefused/);
  }
  assert.is(readFileSync(junit, "utf8").match(/<failure/g)?.length, 2);
});

test.run();

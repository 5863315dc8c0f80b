import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { writeNotebook } from "../../../kernel/headless/index.ts";
import { findPython } from "../../support/environment.ts";
import { type JupyterServer, startJupyter } from "../../support/jupyter-server.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { code, notebookOf } from "./fixtures.ts";
import { folderWith, outputsIn, tessera } from "./run-command.ts";

const found = findPython("jupyter_server");
const test = suite("tessera run on a Jupyter server", "missing" in found && found.missing);

const token = "secret-of-the-test";
/** What the server's file browser shows. */
const root = temporaryFolder();
let server: JupyterServer;
let url = "";

test.before(async () => {
  if ("missing" in found) return;
  server = await startJupyter(found.python, "jupyter_server", root, token);
  url = server.url;
});
test.after(() => server?.stop());

test("executes on the server's kernel and stores the same outputs as here", async () => {
  const notebook = notebookOf(code("console.log('one'); 6 * 7"), code("display({ 'text/html': '<b>x</b>' })"));
  const folder = folderWith({ "one.ipynb": notebook });
  const [there, here] = [join(folder, "there"), join(folder, "here")];
  const remote = await tessera(["run", join(folder, "one.ipynb"), "--out", there, "--server", url, "--token", token]);
  assert.is(remote.code, 0, remote.stderr);
  assert.is((await tessera(["run", join(folder, "one.ipynb"), "--out", here])).code, 0);
  assert.equal(await outputsIn(join(there, "one.ipynb")), await outputsIn(join(here, "one.ipynb")));
});

test("files that a notebook names are found from where it stands on the server", async () => {
  const notebook = notebookOf(
    code('const { readFileSync } = await import("node:fs")\nreadFileSync("beside.txt", "utf8")'),
  );
  const lecture = join(root, "course/lecture");
  mkdirSync(lecture, { recursive: true });
  writeFileSync(join(lecture, "one.ipynb"), writeNotebook(notebook));
  writeFileSync(join(lecture, "beside.txt"), "found");
  const address = ["--out", join(root, "out"), "--server", url, "--token", token];
  const here = await tessera(["run", "course/lecture/one.ipynb", ...address], { cwd: root });
  assert.is(here.code, 0, here.stderr);
  const inside = await tessera(["run", "lecture/one.ipynb", ...address, "--server-path", "course"], {
    cwd: join(root, "course"),
  });
  assert.is(inside.code, 0, inside.stderr);
});

test("a kernel that was used is gone afterwards", async () => {
  const running = await fetch(`${url}api/kernels?token=${token}`);
  assert.equal(await running.json(), []);
});

test("limits hold there, too", async () => {
  const folder = folderWith({ "one.ipynb": notebookOf(code("console.log('begun'); while (true) {}")) });
  const args = ["--out", join(folder, "out"), "--server", url, "--token", token, "--cell-timeout", "1"];
  const { code: exit, stderr } = await tessera(["run", join(folder, "one.ipynb"), ...args]);
  assert.is(exit, 4, stderr);
});

test("a wrong token, and a server that is not there, are bad input: one line, exit code 2", async () => {
  const folder = folderWith({ "one.ipynb": notebookOf(code("1")) });
  const run = (...options: string[]) =>
    tessera(["run", join(folder, "one.ipynb"), "--out", join(folder, "out"), ...options]);
  const wrong = await run("--server", url, "--token", "wrong");
  assert.is(wrong.code, 2, wrong.stderr);
  assert.match(wrong.stderr, /^server: must answer, got .*--token\n$/);
  const absent = await run("--server", "http://127.0.0.1:9/");
  assert.is(absent.code, 2);
  assert.match(absent.stderr, /^server: must answer, got .*\n$/);
  assert.match((await run("--server", "nowhere")).stderr, /^server: must be an address/);
});

test.run();

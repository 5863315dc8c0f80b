import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { findPython } from "./environment.ts";
import { suite } from "./suite.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const found = findPython("jupyter_server");
const test = suite("a Jupyter server of the tests", "missing" in found && found.missing);

/** A test's process that starts a server with a kernel on it, says so, and then hangs. */
const hanging = (python: string): string => `
  const { startJupyter } = await import(${JSON.stringify(join(import.meta.dirname, "jupyter-server.js"))})
  const { url } = await startJupyter(${JSON.stringify(python)}, "jupyter_server", process.env.TMPDIR + "/root", "secret")
  const started = await fetch(url + "api/kernels?token=secret", { method: "POST", body: '{"name":"tessera"}' })
  console.log(started.status)
  setInterval(() => {}, 1000)`;

/** The commands that run and name a folder: those of a server and its kernels do. */
function commandsNaming(folder: string): string[] {
  const all = execFileSync("ps", ["-eo", "args", "-ww"], { encoding: "utf8" }).split("\n");
  return all.filter((command) => command.includes(folder));
}

test("ends, and its kernels with it, when the process that started it is killed", async () => {
  if ("missing" in found) return;
  const folder = temporaryFolder();
  const child = spawn(process.execPath, ["--input-type=module", "-e", hanging(found.python)], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const said = await new Promise((resolve) => {
      child.stdout.once("data", (text) => resolve(String(text).trim()));
      child.once("close", () => resolve("nothing"));
    });
    assert.is(said, "201");
    const running = commandsNaming(folder).join("\n");
    assert.match(running, /jupyter_server/);
    assert.match(running, /main\.js kernel /);
  } finally {
    child.kill("SIGKILL");
  }
  const end = Date.now() + 30_000;
  while (commandsNaming(folder).length > 0 && Date.now() < end) {
    await new Promise((later) => setTimeout(later, 200));
  }
  assert.equal(commandsNaming(folder), []);
});

test.run();

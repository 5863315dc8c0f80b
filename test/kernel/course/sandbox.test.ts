import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as assert from "uvu/assert";
import { findProtection } from "../../../kernel/course/index.ts";
import { Sandbox } from "../../../kernel/course/sandbox.ts";
import { languageOptions } from "../../../kernel/session/defaults.ts";
import { projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const protection = findProtection();
const test = suite("the sandbox of a submission", !protection.bubblewrap && `no sandbox: ${protection.trouble}`);

const limits = { memoryBytes: 2 ** 30, processes: 256, diskBytes: 2 ** 24 };

/** Runs a command in a sandbox whose home holds one file. */
function inside(...command: string[]): { readonly said: string; readonly code: number | null } {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "answer.txt"), "42");
  const sandbox = new Sandbox(folder, limits);
  const [program, ...args] = sandbox.wrap(command);
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: "utf8", timeout: 60_000 });
  sandbox.dispose();
  return { said: `${stdout}${stderr}`, code: status };
}

test("files of the submission are there, and writing to them changes only a copy", () => {
  assert.is(inside("/bin/sh", "-c", "cat answer.txt; echo 43 > answer.txt; cat answer.txt").said, "4243\n");
});

test("the system can only be read, nobody's home is there, and no other process is seen", () => {
  assert.is.not(inside("/bin/sh", "-c", "touch /usr/x").code, 0);
  assert.is(
    inside("/bin/sh", "-c", `test -e ${join(homedir(), ".bashrc")} -o -e ${join(projectRoot, ".git")}`).code,
    1,
  );
  assert.ok(Number(inside("/bin/sh", "-c", "ls -d /proc/[0-9]* | wc -l").said) <= 5);
});

test("there is no network but the process's own", () => {
  assert.is(inside("/bin/sh", "-c", "tail -n +3 /proc/net/dev | grep -vc lo:").said, "0\n");
});

test("no more can be written than its disk holds", () => {
  const { said, code } = inside("/bin/sh", "-c", "head -c 30000000 /dev/zero > big");
  assert.is.not(code, 0);
  assert.match(said, /No space left/);
});

test("a compiler finds its snapshot by the same name inside as outside, also where modules are linked", async () => {
  const module = pathToFileURL(join(projectRoot, "dist/kernel/language/snapshot.js")).href;
  const { snapshotPath } = await import(module);
  const options = languageOptions("/");
  const script = `const { snapshotPath } = await import(${JSON.stringify(module)}); console.log(snapshotPath(${JSON.stringify(options)}))`;
  const { said } = inside(process.execPath, "--input-type=module", "-e", script);
  assert.is(said.trim(), snapshotPath(options));
});

test.run();

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import * as assert from "uvu/assert";
import { projectRoot } from "../support/environment.ts";
import { suite } from "../support/suite.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const test = suite("tessera install and tessera doctor");

const home = temporaryFolder();
const spec = join(home, ".local/share/jupyter/kernels/tessera");

/** Runs a command as a user who has nothing but Node. */
function tessera(...given: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(projectRoot, "dist/kernel/cli/main.js"), ...given],
    { cwd: home, encoding: "utf8", env: { PATH: dirname(process.execPath), HOME: home } },
  );
  return { status, output: stdout + stderr };
}

test("the doctor misses the kernelspec before it is installed, and says what to do", () => {
  const { status, output } = tessera("doctor");
  assert.is(status, 1);
  assert.match(output, "FAIL  kernelspec: Jupyter does not know the kernel yet\n      → tessera install");
  assert.match(output, "ok    a cell, checked and run");
});

test("install writes a kernelspec of absolute paths, with logos, without Python", () => {
  const { status, output } = tessera("install", "--user");
  assert.is(status, 0, output);
  const { argv, ...rest } = JSON.parse(readFileSync(join(spec, "kernel.json"), "utf8"));
  assert.equal(argv.slice(2), ["kernel", "{connection_file}"]);
  assert.ok(isAbsolute(argv[0]) && isAbsolute(argv[1]) && existsSync(argv[0]) && existsSync(argv[1]));
  assert.is(rest.language, "typescript");
  assert.is(rest.interrupt_mode, "message");
  assert.ok(
    Object.values(rest.env).every((value) => typeof value === "string"),
    JSON.stringify(rest.env),
  );
  for (const logo of ["logo-32x32.png", "logo-64x64.png", "logo-svg.svg"])
    assert.ok(existsSync(join(spec, logo)), logo);
});

test("the doctor then finds it, and notices when what it starts is gone", () => {
  const file = join(spec, "kernel.json");
  assert.match(tessera("doctor").output, `ok    kernelspec ${file}`);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace("dist/kernel/cli/main.js", "gone/main.js"));
  const { output } = tessera("doctor");
  assert.match(output, /FAIL {2}kernelspec .*gone\/main\.js, which is gone\n {6}→ tessera install/);
});

test("install wants one place only, and an environment for --sys-prefix", () => {
  assert.match(tessera("install", "--user", "--prefix", home).output, "one place must be chosen");
  const { status, output } = tessera("install", "--sys-prefix");
  assert.is(status, 2);
  assert.match(output, "--sys-prefix must find an active virtual or conda environment");
});

test.run();

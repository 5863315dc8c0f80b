import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { mounted, mountPoint } from "../../../kernel/language/working-directory.ts";
import { KernelClient, result } from "../../support/kernel-client.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("the compiler in a snapshot");

const cache = temporaryFolder();
const project = temporaryFolder();
const workingDirectory = join(project, "deep/er");
const environment = { XDG_CACHE_HOME: cache };

test.before(async () => {
  mkdirSync(workingDirectory, { recursive: true });
  writeFileSync(join(workingDirectory, "beside.ts"), "export const beside = 1");
  writeFileSync(join(project, "above.ts"), "export const above = 2");
  const installed = join(project, "node_modules/installed");
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(installed, "package.json"), `{"name":"installed","type":"module","exports":"./i.js"}`);
  writeFileSync(join(installed, "i.js"), "export const three = 3");
  writeFileSync(join(installed, "i.d.ts"), "export declare const three: number");
});

const blobs = (): string[] => readdirSync(join(cache, "tessera")).filter((name) => name.endsWith(".blob"));

/** Runs in a kernel what needs the compiler to know its real working directory. */
async function work(): Promise<void> {
  const kernel = await KernelClient.start({ workingDirectory, environment });
  try {
    const imports =
      "import { beside } from './beside.ts'; import { above } from '../../above.ts'; import { three } from 'installed'";
    const done = await kernel.execute(`${imports}; [beside, above, three].join()`);
    assert.is(result(done), "'1,2,3'", String(done.reply.content.evalue));
    const wrong = await kernel.execute("const text: string = three");
    assert.match(String(wrong.reply.content.evalue), "Type 'number' is not assignable to type 'string'");
    const { reply } = await kernel.request("complete_request", { code: "tens", cursor_pos: 4 });
    assert.ok((reply.content.matches as string[]).includes("tensor"));
    assert.is(kernel.log, "");
  } finally {
    await kernel.stop();
  }
}

test("is built beside the first kernel, and serves the next one in any directory", async () => {
  const kernel = await KernelClient.start({ environment });
  try {
    assert.is(result(await kernel.execute("1 + 1")), "2");
    for (let waited = 0; waited < 600 && blobs().length === 0; waited++) await new Promise((r) => setTimeout(r, 100));
    assert.is(blobs().length, 1);
  } finally {
    await kernel.stop();
  }
  await work();
});

test("is left alone when it is damaged", async () => {
  const [blob] = blobs();
  writeFileSync(join(cache, "tessera", blob), "no snapshot");
  const kernel = await KernelClient.start({ environment });
  try {
    assert.is(result(await kernel.execute("1 + 1")), "2");
  } finally {
    await kernel.stop();
  }
});

const mounts: readonly [asked: string, directory: string, real: string][] = [
  [mountPoint, "/home/me", "/home/me"],
  [`${mountPoint}/a/b.ts`, "/home/me", "/home/me/a/b.ts"],
  [`${mountPoint.replace(/\/15$/, "")}/node_modules`, "/home/me", "/home/node_modules"],
  ["/.tessera/0/node_modules", "/home/me", "/node_modules"],
  [`${mountPoint}/a.ts`, "/", "/a.ts"],
  ["/usr/lib/x.d.ts", "/home/me", "/usr/lib/x.d.ts"],
];
for (const [asked, directory, real] of mounts) {
  test(`finds ${asked} at ${real}`, () => {
    assert.is(mounted(asked, directory), real);
  });
}

test.run();

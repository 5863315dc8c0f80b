import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { endlessCells, endlessModule, endlessPrelude } from "../support/endless-cells.ts";
import { KernelClient, printed, result } from "../support/kernel-client.ts";
import { suite } from "../support/suite.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const test = suite("an interrupt");

const folder = temporaryFolder();
let kernel: KernelClient;
test.before(async () => {
  writeFileSync(join(folder, "endless.ts"), endlessModule);
  kernel = await KernelClient.start({ workingDirectory: folder });
  await kernel.execute(endlessPrelude);
});
test.after(async () => {
  await kernel.stop();
});

/** Starts a cell; resolves with its id when it is in the midst of what follows its imports. */
async function begin(code: string): Promise<string> {
  const id = kernel.send("execute_request", { code: `console.log("begun"); ${code}`, allow_stdin: true });
  await kernel.until(({ content, parent_header: p }) => p.msg_id === id && content.text === "begun\n");
  await new Promise((resolve) => setTimeout(resolve, 100));
  return id;
}

for (const [what, code] of Object.entries(endlessCells)) {
  test(`stops ${what}, keeps the values and names the line`, async () => {
    const id = await begin(code);
    const ended = kernel.reply(id);
    const { reply } = await kernel.request("interrupt_request", {}, "control");
    assert.is(reply.content.status, "ok");
    const { ename, traceback, execution_count: count } = (await ended).content;
    // A training step that ends within the time of grace is told by `fit` itself, as an InterruptedError.
    assert.match(String(ename), /^Interrupted(Error)?$/);
    // Where it was: in the cell, or in the function of the first cell that a timer or a microtask called.
    const told = (traceback as string[]).join("\n");
    assert.ok(new RegExp(`[ (](cell${count}\\.ts:1|cell1\\.ts:5):\\d+`).test(told), told);
    const after = await kernel.execute("console.log('heard'); kept");
    assert.is(result(after), "7");
    assert.is(printed(after), "heard\n");
    const before = result(await kernel.execute("ticks"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.is(result(await kernel.execute("ticks")), before);
  });
}

const programs = "lets a cell go that waits for a program, and ends the program, but none that runs beside";
if (process.platform !== "linux") test.skip(programs, "only Linux says which thread has started a program");
else {
  for (const [how, command] of [
    ["asked", "sleep 1234; sleep 1234"],
    ["made", "trap : INT; while true; do sleep 0.1234; done"],
  ]) {
    test(`${programs}: ${how} to end`, async () => {
      await kernel.execute(`const beside = require("node:child_process").spawn("sleep", ["1000"])`);
      const id = await begin(
        `require("node:child_process").execSync(${JSON.stringify(command)}); console.log("lived")`,
      );
      const ended = kernel.reply(id);
      await kernel.request("interrupt_request", {}, "control");
      assert.is((await ended).content.ename, "Interrupted");
      assert.not(kernel.published.some(({ content }) => content.text === "lived\n"));
      assert.is(result(await kernel.execute("beside.exitCode === null && beside.kill() && kept")), "7");
      const left = spawnSync("pgrep", ["-f", "sleep (0[.])?1234"]).stdout.toString();
      assert.is(left, "");
    });
  }
}

/** Cells in which the line that is stopped is marked. */
const stoppedAt: Readonly<Record<string, string>> = {
  "a loop that runs": "let turns = 0\nwhile (kept > 0) {\n  turns++\n  spin() // here\n}",
  "a loop behind awaits": "await sleep(1)\nawait null\nfor (;;) { kept++; kept-- } // here",
  "a function that a cell awaits":
    "const work = async () => {\n  await sleep(1)\n  await sleep(1e6)\n}\nawait work() // here",
  "a promise that a cell ends in": "const never = new Promise(() => {})\n\nnever // here",
  "a second step of a loop that awaits":
    "async function* steps() { yield 1; await sleep(1e6) }\nfor await (const step of steps()) { // here\n  await null\n}",
};
for (const [what, code] of Object.entries(stoppedAt)) {
  test(`names the line of ${what}`, async () => {
    const id = await begin(code);
    const ended = kernel.reply(id);
    await kernel.request("interrupt_request", {}, "control");
    const { traceback, execution_count: count } = (await ended).content;
    const told = (traceback as string[]).join("\n");
    const line = code.split("\n").findIndex((text) => text.endsWith("// here")) + 1;
    assert.ok(told.includes(`at cell${count}.ts:${line}:`), told);
  });
}

test("by SIGINT does the same", async () => {
  const id = kernel.send("execute_request", { code: "while (true) {}" });
  await kernel.until(({ header, parent_header: p }) => p.msg_id === id && header.msg_type === "execute_input");
  const ended = kernel.reply(id);
  await new Promise((resolve) => setTimeout(resolve, 250));
  kernel.child.kill("SIGINT");
  assert.is((await ended).content.ename, "Interrupted");
  assert.is(result(await kernel.execute("kept")), "7");
});

test("of nothing harms nothing", async () => {
  await kernel.request("interrupt_request", {}, "control");
  assert.is(printed(await kernel.execute("await sleep(100); console.log('done')")), "done\n");
});

test("drops the cells that wait behind the one that is stopped", async () => {
  const first = kernel.send("execute_request", { code: "while (true) {}" });
  const second = kernel.send("execute_request", { code: "kept = 8" });
  const replies = Promise.all([kernel.reply(first), kernel.reply(second)]);
  await kernel.until(({ header, parent_header: p }) => p.msg_id === first && header.msg_type === "execute_input");
  await new Promise((resolve) => setTimeout(resolve, 250));
  await kernel.request("interrupt_request", {}, "control");
  const [stopped, dropped] = await replies;
  assert.is(stopped.content.status, "error");
  assert.is(dropped.content.status, "aborted");
  assert.is(result(await kernel.execute("kept")), "7");
});

test("leaves a realm in which async_hooks still work", async () => {
  await kernel.execute(
    `import { AsyncLocalStorage } from "node:async_hooks"; const storage = new AsyncLocalStorage<number>()`,
  );
  const code = "await storage.run(3, async () => { await sleep(5); await null; return storage.getStore() })";
  assert.is(result(await kernel.execute(code)), "3");
  assert.is(result(await kernel.execute("kept")), "7");
});

test("stops code that is followed by async_hooks, at the price of the values", async () => {
  const id = kernel.send("execute_request", { code: "storage.run(1, () => setTimeout(spin, 1)); await sleep(1e6)" });
  await kernel.until(({ header, parent_header: p }) => p.msg_id === id && header.msg_type === "execute_input");
  await new Promise((resolve) => setTimeout(resolve, 250));
  const ended = kernel.reply(id);
  await kernel.request("interrupt_request", {}, "control");
  assert.is((await ended).content.ename, "RealmLost");
  assert.is(result(await kernel.execute("1 + 1")), "2");
});

test.run();

import * as assert from "uvu/assert";
import { KernelClient, printed, result } from "../support/kernel-client.ts";
import { suite } from "../support/suite.ts";

const test = suite("an interrupt");

let kernel: KernelClient;
test.before(async () => {
  kernel = await KernelClient.start();
  await kernel.execute(`
    let kept = 7
    let ticks = 0
    const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
    const spin = () => { while (true) {} }
  `);
});
test.after(async () => {
  await kernel.stop();
});

/** Cells that never end by themselves. Those that count ticks must not count on after the interrupt. */
const endless: Readonly<Record<string, string>> = {
  "a loop": "while (true) {}",
  "a loop after an await": "await null; while (true) {}",
  "a loop of awaits": "for (;;) { await null; ticks++ }",
  "a promise that never settles": "await new Promise(() => {})",
  "a chain of promises": "const again = (): any => Promise.resolve().then(again); await again()",
  "a loop in a timer": "setTimeout(spin, 1); await new Promise(() => {})",
  "a loop in a microtask": "queueMicrotask(spin); await sleep(1e6)",
  "a loop in process.nextTick": "const tick = () => process.nextTick(tick); tick(); await new Promise(() => {})",
  "a loop in a getter": "({ get x() { return spin() } }).x",
  "a loop in a generator": "for (const x of (function* () { while (true) yield ticks++ })()) {}",
  "a loop in a comparator": "[3, 2, 1].sort(() => { while (true) {} })",
  "a catastrophic regular expression": "/(a+)+b/.test('a'.repeat(40))",
  "a loop in try": "try { while (true) {} } catch {} finally {}",
  "a loop that catches": "while (true) { try { spin() } catch {} }",
  "sleeping in turns": "while (true) { await sleep(5); ticks++ }",
  "an interval": "setInterval(() => { ticks++ }, 5); await new Promise(() => {})",
  "timers/promises in turns":
    "import { setTimeout as wait } from 'node:timers/promises'; while (true) { await wait(5); ticks++ }",
  "reading files in turns": "import { stat } from 'node:fs/promises'; while (true) { await stat('/'); ticks++ }",
  "immediates in turns": "const soon = () => { ticks++; setImmediate(soon) }; soon(); await new Promise(() => {})",
  "a question to the reader": "prompt('Well?')",
  "waiting on shared memory": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
};

for (const [what, code] of Object.entries(endless)) {
  test(`stops ${what} and keeps the values`, async () => {
    const id = kernel.send("execute_request", { code, allow_stdin: true });
    await kernel.until(({ header, parent_header: p }) => p.msg_id === id && header.msg_type === "execute_input");
    // Past the type check, into the middle of it.
    await new Promise((resolve) => setTimeout(resolve, 250));
    const ended = kernel.reply(id);
    const { reply } = await kernel.request("interrupt_request", {}, "control");
    assert.is(reply.content.status, "ok");
    assert.is((await ended).content.ename, "Interrupted");
    assert.is(result(await kernel.execute("kept")), "7");
    const before = result(await kernel.execute("ticks"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.is(result(await kernel.execute("ticks")), before);
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

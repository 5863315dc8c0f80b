import * as assert from "uvu/assert";
import { KernelClient, outputs, printed, result } from "../support/kernel-client.ts";
import { suite } from "../support/suite.ts";

const test = suite("a cell in a real kernel");

let kernel: KernelClient;
test.before(async () => {
  kernel = await KernelClient.start();
});
test.after(async () => {
  await kernel.stop();
});

test("shows the value of its last expression", async () => {
  const done = await kernel.execute("1 + 1");
  assert.is(result(done), "2");
  assert.is(done.reply.content.status, "ok");
});

test("shows nothing for undefined", async () => {
  const done = await kernel.execute("undefined");
  assert.equal(outputs(done, "execute_result"), []);
});

test("prints", async () => {
  const done = await kernel.execute(`console.log("a", 1); console.error("b"); process.stdout.write("c")`);
  assert.is(printed(done), "a 1\nc");
  assert.is(printed(done, "stderr"), "b\n");
});

test.run();

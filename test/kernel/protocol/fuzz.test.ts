import { createHmac } from "node:crypto";
import * as assert from "uvu/assert";
import { encode } from "../../../kernel/protocol/index.ts";
import { type Random, random } from "../../../lib/tensor/index.ts";
import { KernelClient, result } from "../../support/kernel-client.ts";
import { suite } from "../../support/suite.ts";

const test = suite("a kernel that is sent nonsense");

const seed = 20_261_122;
const rounds = 10_000;

let kernel: KernelClient;
test.before(async () => {
  kernel = await KernelClient.start();
});
test.after(async () => {
  await kernel.stop();
});

const integer = (numbers: Random, below: number): number => Math.floor(numbers.nextUniform() * below);
const pick = <Item>(numbers: Random, from: readonly Item[]): Item => from[integer(numbers, from.length)];
const bytes = (numbers: Random): Buffer =>
  Buffer.from(Array.from({ length: integer(numbers, 60) }, () => integer(numbers, 256)));

const delimiter = Buffer.from("<IDS|MSG>");
const requests = [
  "kernel_info_request",
  "complete_request",
  "inspect_request",
  "is_complete_request",
  "history_request",
  "comm_info_request",
  "comm_open",
  "comm_msg",
  "comm_close",
  "interrupt_request",
  "delete_subshell_request",
  "execute_request",
];
const values: readonly unknown[] = [
  null,
  0,
  -1,
  1e300,
  "",
  "💥\u0000",
  [],
  {},
  true,
  "x".repeat(300),
  [[[]]],
  { a: { b: 1 } },
];
const keys = [
  "code",
  "cursor_pos",
  "comm_id",
  "target_name",
  "data",
  "session",
  "n",
  "pattern",
  "hist_access_type",
  "subshell_id",
];

function signed(parts: readonly Buffer[]): Buffer[] {
  const hmac = createHmac("sha256", kernel.info.key);
  for (const part of parts) hmac.update(part);
  return [delimiter, Buffer.from(hmac.digest("hex")), ...parts];
}

/** Rightly signed requests with random content. Code is no code, so that no cell runs for ever. */
function randomRequest(numbers: Random): Uint8Array[] {
  const content = Object.fromEntries(
    keys.filter(() => numbers.nextUniform() < 0.5).map((key) => [key, pick(numbers, values)]),
  );
  return encode({ identities: [], message: kernel.message(pick(numbers, requests), content) }, kernel.info.key);
}

const kinds: Readonly<Record<string, (numbers: Random) => Uint8Array[]>> = {
  "random frames": (numbers) =>
    Array.from({ length: integer(numbers, 8) }, () => (integer(numbers, 4) === 0 ? delimiter : bytes(numbers))),
  "a wrong signature": (numbers) => {
    const frames = encode(
      { identities: [], message: kernel.message("execute_request", { code: "console.log('forged')" }) },
      "another key",
    );
    return integer(numbers, 2) === 0 ? frames : frames.with(1, bytes(numbers));
  },
  "half a message": (numbers) => {
    const frames = randomRequest(numbers);
    const cut = integer(numbers, frames.length);
    const half = frames[cut].subarray(0, integer(numbers, frames[cut].length));
    return integer(numbers, 2) === 0 ? frames.slice(0, cut) : frames.with(cut, half);
  },
  "signed nonsense": (numbers) =>
    signed(Array.from({ length: 4 }, () => Buffer.from(JSON.stringify(pick(numbers, values))))),
  "a request of random content": randomRequest,
};

test(`answers after ${rounds} random frames, wrong signatures, half messages and requests (seed ${seed})`, async () => {
  const numbers = random(seed);
  for (let round = 0; round < rounds; round++) {
    const frames = pick(numbers, Object.values(kinds))(numbers);
    if (frames.length > 0) await kernel.sendRaw(pick(numbers, ["shell", "control"]), frames);
  }
  assert.is(await kernel.heartbeat("tick"), "tick");
  assert.is((await kernel.request("kernel_info_request", {}, "control")).reply.content.status, "ok");
  assert.is(result(await kernel.execute("'still here'")), "'still here'");
  assert.not(kernel.published.some(({ content }) => content.text === "forged\n"));
  assert.match(kernel.log, "must be signed with the key");
});

test.run();

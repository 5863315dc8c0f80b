import * as assert from "uvu/assert";
import { BadMessage, decode, encode, type Message } from "../../../kernel/protocol/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("the wire");

const key = "a0436f6c-1916-498b-8eb9-e81ab9368e84";
const message: Message = {
  header: {
    msg_id: "1",
    msg_type: "execute_request",
    session: "s",
    username: "u",
    date: "2026-01-01T00:00:00Z",
    version: "5.5",
  },
  parent_header: {},
  metadata: { deep: { list: [1, "ü", null] } },
  content: { code: "1 + 1" },
  buffers: [Uint8Array.of(0, 255, 7)],
};
const identities = [Buffer.from("router"), Uint8Array.of(0, 1)];

test("reads what it writes, identities and buffers too", () => {
  const read = decode(encode({ identities, message }, key), key);
  assert.equal(read.message, message);
  assert.equal(
    read.identities.map((identity) => [...identity]),
    identities.map((identity) => [...identity]),
  );
});

test("signs as Jupyter does", () => {
  // Computed with jupyter_client 8: Session(key=…).sign([b'{}', b'{}', b'{}', b'{}']).
  const empty = { ...message, header: {}, metadata: {}, content: {}, buffers: [] } as unknown as Message;
  const frames = encode({ identities: [], message: empty }, key);
  assert.is(Buffer.from(frames[1]).toString(), "c5725711611a71f369d996132f096424c55c73e5d7d3a69996ec21f94b2774a1");
});

test("needs no signature where there is no key", () => {
  assert.equal(decode(encode({ identities, message }, ""), "").message, message);
});

const spoilt: Readonly<Record<string, (frames: Uint8Array[]) => Uint8Array[]>> = {
  "another key": () => encode({ identities, message }, "other"),
  "a changed content": (frames) => frames.with(-2, Buffer.from('{"code":"2 + 2"}')),
  "an empty signature": (frames) => frames.with(3, Buffer.alloc(0)),
  "a signature cut short": (frames) => frames.with(3, frames[3].subarray(0, 10)),
  "no delimiter": (frames) => frames.toSpliced(2, 1),
  "missing parts": (frames) => frames.slice(0, 6),
  "nothing at all": () => [],
};
for (const [what, spoil] of Object.entries(spoilt)) {
  test(`refuses ${what}`, () => {
    const frames = spoil(encode({ identities, message }, key));
    assert.throws(
      () => decode(frames, key),
      (error: unknown) => error instanceof BadMessage,
    );
  });
}

for (const part of ["[]", "null", "{", "7"]) {
  test(`refuses ${part} where a JSON object belongs`, () => {
    const frames = encode({ identities, message }, "").with(-2, Buffer.from(part));
    assert.throws(
      () => decode(frames, ""),
      (error: unknown) => error instanceof BadMessage,
    );
  });
}

test.run();

import * as assert from "uvu/assert";
import { decode, encode, type Objects, patch } from "../../../kernel/course/realms/wire.ts";
import { suite } from "../../support/suite.ts";

const test = suite("the border between a student's process and the tests");

function lent(): never {
  throw new Error("plain data is copied, got something that is lent");
}

/** A side that has lent nothing and was lent nothing. */
const objects: Objects = { lend: lent, lentTo: () => undefined, view: lent, own: lent };

test("plain data arrives as it was, in every kind that a notebook uses", () => {
  const value = {
    numbers: [0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e-300],
    big: 12345678901234567890n,
    nested: [{ a: null, b: undefined, c: "é\n" }],
    map: new Map([["k", new Set([1, 2])]]),
    when: new Date(86_400_000),
    typed: Float32Array.of(0.1, 2),
    whole: Int8Array.of(-1, 3),
  };
  const sent = JSON.parse(JSON.stringify(encode(value, objects)));
  assert.equal(decode(sent, objects), value);
  assert.ok(Object.is((decode(sent, objects) as typeof value).numbers[1], -0));
});

test("what a callee wrote into an argument is written into the same object", () => {
  const inner = [1, 2, 3];
  const original = { inner, typed: Float64Array.of(1, 2), name: "a" };
  patch(original, { inner: [4, 5], typed: Float64Array.of(3, 4), name: "b", more: true });
  assert.equal(original, { inner: [4, 5], typed: Float64Array.of(3, 4), name: "b", more: true });
  assert.is(original.inner, inner);
});

test("a callee cannot write into what every object of the tests' process inherits from", () => {
  const changed = decode(JSON.parse('{"o":[["__proto__",{"o":[["stolen",true]]}],["own",1]]}'), objects);
  const original: Record<string, unknown> = {};
  patch(original, changed);
  assert.is(original.own, 1);
  assert.is(({} as Record<string, unknown>).stolen, undefined);
  assert.is(Object.getPrototypeOf(original), Object.prototype);
  const list = decode(JSON.parse('{"o":[["__proto__",{"a":[7]}]]}'), objects);
  patch([], list);
  assert.is(Array.prototype[0], undefined);
});

test.run();

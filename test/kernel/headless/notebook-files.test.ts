import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { BadInput, parseNotebook, readNotebook, writeNotebook } from "../../../kernel/headless/index.ts";
import { writeFileWhole } from "../../../kernel/headless/write-file.ts";
import { suite } from "../../support/suite.ts";
import { fixture } from "./fixtures.ts";

const test = suite("notebook files");

test("a notebook that nbformat wrote is read and written back byte for byte", () => {
  const bytes = readFileSync(fixture("nbformat-written.ipynb"));
  assert.is(writeNotebook(parseNotebook(bytes, "x.ipynb")), bytes.toString("utf8"));
});

test("numbers keep their spelling, in metadata that nobody knows, at every depth", () => {
  const odd = '{"a":1.0,"b":[1e5,-0,4185621973518291234],"c":{"__proto__":0.10},"d":"1.0"}';
  const text = `{"nbformat":4,"nbformat_minor":4,"metadata":{"kept":${odd}},"cells":[]}`;
  const written = writeNotebook(parseNotebook(Buffer.from(text), "x.ipynb"));
  assert.is(JSON.stringify(JSON.parse(written)), JSON.stringify(sorted(JSON.parse(text))));
  for (const spelling of ['"a": 1.0', "1e5", "-0,", "4185621973518291234", '"__proto__": 0.10', '"d": "1.0"']) {
    assert.ok(written.includes(spelling), spelling);
  }
});

test("keys that the format does not know survive at every level, and notes about trust do not", () => {
  const file = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { signature: "s", orig_nbformat: 3, mine: [{ deep: null }] },
    topmost: { kept: true },
    cells: [
      {
        cell_type: "code",
        source: "1",
        metadata: { trusted: true, mine: 1 },
        outputs: [],
        execution_count: null,
        extra: [],
      },
    ],
  };
  const written = JSON.parse(writeNotebook(parseNotebook(Buffer.from(JSON.stringify(file)), "x.ipynb")));
  assert.equal(written.topmost, { kept: true });
  assert.equal(written.metadata, { mine: [{ deep: null }] });
  assert.equal(written.cells[0].metadata, { mine: 1 });
  assert.equal(written.cells[0].extra, []);
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

const notebook = (changes: object): string =>
  JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [], ...changes });
const cell = (changes: object): string =>
  notebook({
    cells: [{ cell_type: "code", metadata: {}, source: "", outputs: [], execution_count: null, ...changes }],
  });

const bad: [what: string, text: string | Buffer, told: RegExp][] = [
  ["an empty file", "", /must be JSON, got an empty file/],
  ["something other than JSON", "# a script", /must be JSON, got .*(#|JSON)/],
  ["half of a notebook", notebook({}).slice(0, 30), /must be JSON/],
  ["bytes that are not UTF-8", Buffer.from([0x7b, 0xff, 0xfe]), /must be UTF-8/],
  ["JSON that is not an object", "[1]", /the file must be an object, got \[1\]/],
  ["JSON that is no notebook", '{"name":"tessera"}', /must have the key nbformat, got the keys name/],
  ["nbformat 3", '{"nbformat":3,"nbformat_minor":0,"worksheets":[]}', /must be of nbformat 4, got 3\.0.*nbconvert/],
  ["nbformat 5", notebook({ nbformat: 5 }), /must be of nbformat 4, got 5\.5/],
  [
    "another language",
    notebook({ metadata: { kernelspec: { name: "python3", language: "python" } } }),
    /must be in typescript or javascript, got python/,
  ],
  ["another language, named by its kernel", notebook({ metadata: { language_info: { name: "R" } } }), /got R/],
  ["cells that are no list", notebook({ cells: {} }), /cells must be an array, got \{\}/],
  ["a cell of an unknown type", cell({ cell_type: "heading" }), /cells\[0\]\.cell_type must be .*, got "heading"/],
  ["a source that is a number", cell({ source: 3 }), /cells\[0\]\.source must be a string or a list of strings, got 3/],
  ["a cell without metadata", cell({ metadata: undefined }), /cells\[0\]\.metadata must be an object, got nothing/],
  [
    "an output of an unknown type",
    cell({ outputs: [{ output_type: "pyout" }] }),
    /outputs\[0\]\.output_type must be .*"pyout"/,
  ],
  [
    "an output without data",
    cell({ outputs: [{ output_type: "display_data", metadata: {} }] }),
    /outputs\[0\]\.data must be an object/,
  ],
];
for (const [what, text, told] of bad) {
  test(`refuses ${what}, naming the file and what to do`, () => {
    const error = thrownBy(() => parseNotebook(Buffer.from(text), "dir/bad.ipynb"));
    assert.instance(error, BadInput);
    assert.match(error.message, told);
    assert.match(error.message, /^notebook: .*, got .* \(dir\/bad\.ipynb\), .+/);
    assert.not.match(error.message, /\n/);
  });
}

test("refuses a file that is missing and a folder", async () => {
  for (const path of ["/no/such/file.ipynb", tmpdir()]) {
    try {
      await readNotebook(path);
      assert.unreachable(path);
    } catch (error) {
      assert.instance(error, BadInput);
      assert.ok((error as Error).message.includes(path));
    }
  }
});

test("a notebook that names no language, and one of tslab's, are ours to run", () => {
  const tslab = { kernelspec: { name: "tslab", language: "typescript" }, language_info: { name: "typescript" } };
  for (const metadata of [{}, tslab]) parseNotebook(Buffer.from(notebook({ metadata })), "x.ipynb");
});

test("a file that cannot be put in its place leaves nothing behind, and what stood there stands", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tessera-"));
  writeFileSync(join(folder, "a"), "old");
  await writeFileWhole(join(folder, "a"), "new");
  assert.is(readFileSync(join(folder, "a"), "utf8"), "new");
  await writeFileWhole(folder, "a folder stands there").then(
    () => assert.unreachable(),
    (error) => assert.match((error as BadInput).message, /^output: the file must be writable, got E/),
  );
  assert.equal(readdirSync(folder), ["a"]);
  assert.equal(
    readdirSync(tmpdir()).filter((name) => name.endsWith(".partial")),
    [],
  );
});

function thrownBy(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

test.run();

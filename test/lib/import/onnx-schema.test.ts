import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { meaningSince } from "../../../lib/import/onnx/operator-versions.ts";
import type { MessageFields } from "../../../lib/import/onnx/protobuf.ts";
import { modelFields } from "../../../lib/import/onnx/schema.ts";
import { findPython, projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";

const found = findPython("onnx");
const test = suite("the schema of ONNX", "missing" in found && found.missing);

/** A field as the onnx package publishes it; types are numbered as in protobuf's descriptor.proto. */
interface Published {
  readonly name: string;
  readonly type: number;
  readonly message: string | null;
  readonly repeated: boolean;
}

/** What we read as which of protobuf's types: INT64, INT32, UINT64 and enumerations are whole numbers. */
const types: Readonly<Record<string, readonly number[]>> = {
  whole: [3, 4, 5, 14],
  float: [2],
  double: [1],
  text: [9],
  // A graph in an attribute is noticed and not read; as bytes it is on the wire as a message is.
  bytes: [12, 11],
};

/** What an operator takes at a version. */
interface Signature {
  /** Kind and default of each attribute. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly inputs: number;
  readonly outputs: number;
}

let published: {
  readonly messages: Readonly<Record<string, Readonly<Record<string, Published>>>>;
  readonly operators: Readonly<Record<string, Readonly<Record<string, Signature>>>>;
};
test.before(() => {
  if (!("python" in found)) return;
  const script = join(projectRoot, "test/fixtures/onnx/schema.py");
  const { stdout, stderr } = spawnSync(found.python, [script], { encoding: "utf8", maxBuffer: 2 ** 24 });
  published = JSON.parse(stdout || stderr);
});

test("numbers and kinds of the fields that are read are those that the onnx package publishes", () => {
  const { messages } = published;
  let compared = 0;
  const compare = (name: string, fields: MessageFields): void => {
    for (const [own, { number, holds, repeated }] of Object.entries(fields)) {
      const published = messages[name]?.[number];
      assert.ok(published !== undefined, `${name} has a field ${number} (${own})`);
      assert.is(repeated, published.repeated, `${name}.${own} is ${published.name}`);
      compared++;
      if (typeof holds === "function") compare(published.message ?? "", holds());
      else
        assert.ok(
          types[holds].includes(published.type),
          `${name}.${own} is ${published.name} of type ${published.type}`,
        );
    }
  };
  compare("onnx.ModelProto", modelFields);
  assert.ok(compared > 50, `${compared} fields`);
});

/** What was an attribute and is an input at version 13: these rules read either. */
const eitherWay: Readonly<Record<string, readonly string[]>> = {
  Dropout: ["ratio"],
  ReduceSum: ["axes"],
  Split: ["split"],
  Squeeze: ["axes"],
  Unsqueeze: ["axes"],
};

test("operators that are read before version 13 took nothing then that they do not take at 13", () => {
  let older = 0;
  for (const [operator, versions] of Object.entries(published.operators)) {
    const own = Object.keys(versions).map(Number);
    const current = own.filter((version) => version <= 13).sort((a, b) => b - a)[0];
    const since = meaningSince(operator);
    if (since === 13) continue;
    assert.ok(own.includes(since), `${operator} has a version ${since}: ${own.join()}`);
    const at13 = versions[current];
    for (const version of own.filter((one) => one >= since && one < current)) {
      older++;
      const { attributes, inputs, outputs } = versions[version];
      for (const [name, attribute] of Object.entries(attributes)) {
        if (eitherWay[operator]?.includes(name)) continue;
        assert.is(attribute, at13.attributes[name], `${operator} ${version}: ${name}`);
      }
      assert.ok(inputs <= at13.inputs && outputs <= at13.outputs, `${operator} ${version}`);
    }
  }
  assert.ok(older > 50, `${older} older versions`);
});

test.run();

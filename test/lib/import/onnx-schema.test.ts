import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as assert from "uvu/assert";
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

test("numbers and kinds of the fields that are read are those that the onnx package publishes", () => {
  if (!("python" in found)) return;
  const script = join(projectRoot, "test/fixtures/onnx/schema.py");
  const { stdout, stderr } = spawnSync(found.python, [script], { encoding: "utf8" });
  const messages: Readonly<Record<string, Readonly<Record<string, Published>>>> = JSON.parse(stdout || stderr);
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

test.run();

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPython } from "./environment.ts";
import { runNodeTests, writeNodeTable } from "./onnx-node-table.ts";

const found = findPython("onnx");
if ("missing" in found)
  throw new Error(
    `onnx-table: there must be a Python with onnx, got ${found.missing}; run .ci/run once, or set TESSERA_PYTHON`,
  );
const folder = mkdtempSync(join(tmpdir(), "onnx-nodes-"));
try {
  writeNodeTable(await runNodeTests(found.python, folder));
} finally {
  rmSync(folder, { recursive: true });
}

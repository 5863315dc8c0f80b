import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder, gone again when the test's process ends. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tessera-test-")));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

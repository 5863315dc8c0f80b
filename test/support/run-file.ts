import { pathToFileURL } from "node:url";

/** What a test file's process reports to the runner before it ends. */
export interface FileReport {
  readonly passed: number;
  readonly failures: readonly string[];
  readonly skipped: readonly string[];
}

type Run = () => Promise<[errors: string | true, passed: number, skipped: number, total: number]>;
const queue = globalThis as unknown as { UVU_DEFER: number; UVU_QUEUE: (Run | string | null)[][] };

// uvu looks at this once, when it is first imported: unless told to wait it runs every suite by itself as well.
queue.UVU_DEFER = 1;
queue.UVU_QUEUE = [[null]];
const { records } = await import("./suite.ts");

async function runFile(file: string): Promise<FileReport> {
  await import(pathToFileURL(file).href);
  const failures: string[] = [];
  let passed = 0;
  if (records.length === 0) failures.push("the file defines no suite; import `suite` from test/support/suite.ts");
  for (const record of records) {
    if (!record.ran) failures.push(`suite "${record.name}" is never run; close the file with .run()`);
  }
  for (const run of queue.UVU_QUEUE.flat()) {
    if (typeof run !== "function") continue;
    const [errors, done, skipped, total] = await run();
    passed += done;
    for (let missing = done; missing < total; missing++) failures.push("");
    if (errors !== true) process.stderr.write(errors);
    if (total + skipped === 0) failures.push("a suite holds no test");
  }
  for (const { name, hookErrors } of records) {
    for (const { hook, error } of hookErrors) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      failures.push(`suite "${name}": its ${hook} hook threw: ${text}`);
    }
  }
  const skipped = records.flatMap(({ name, skipped }) => skipped.map((s) => `${name} › ${s.test}: ${s.reason}`));
  return { passed, failures, skipped };
}

const report = await runFile(process.argv[2]);
process.send?.(report, () => process.exit(report.failures.length > 0 ? 1 : 0));

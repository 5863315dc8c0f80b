// The guard around uvu. By itself uvu exits with 0 when a suite's .run() is forgotten, when a `before` hook
// throws and when no file matches; here each of them is a failure, and each skipped test is named.
import { fork } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { FileReport } from "./run-file.ts";

const secondsPerFile = 300;

/** Many files spawn kernels, browsers and threads of their own, and none may depend on having the machine to itself. */
const mostAtOnce = 4;

/** Runs one compiled test file in a process of its own. */
function runInProcess(file: string): Promise<{ report: FileReport; output: string }> {
  return new Promise((done) => {
    const child = fork(join(import.meta.dirname, "run-file.js"), [file], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    let output = "";
    let report: FileReport | undefined;
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.stderr?.on("data", (chunk) => (output += chunk));
    const timer = setTimeout(() => {
      output += `\n  killed: the file took longer than ${secondsPerFile} s\n`;
      child.kill("SIGKILL");
    }, secondsPerFile * 1000);
    child.on("message", (message) => (report = message as FileReport));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const ended = `the process ended (${signal ?? `exit code ${code}`}) before its tests did`;
      done({ report: report ?? { passed: 0, failures: [ended], skipped: [] }, output });
    });
  });
}

/** Compiled test files in `root`, of which the source still exists and the path contains one of `patterns`. */
function findTests(root: string, patterns: readonly string[]): string[] {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" });
  const compiled = join(import.meta.dirname, "../..");
  const source = (file: string): string =>
    join(compiled, "..", relative(compiled, join(root, file)).replace(/\.js$/, ".ts"));
  return files
    .filter((file) => file.endsWith(".test.js") && existsSync(source(file)))
    .filter((file) => !file.startsWith("fixtures"))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort();
}

async function main(): Promise<number> {
  const { values, positionals: patterns } = parseArgs({
    allowPositionals: true,
    options: { root: { type: "string", default: join(import.meta.dirname, "..") } },
  });
  const root = resolve(values.root);
  const files = findTests(root, patterns);
  if (files.length === 0) {
    console.error(`tests: no test file matches [${patterns.join(", ")}] in ${root}; give a part of a file's path`);
    console.log("0 passed, 1 failed");
    return 1;
  }
  let passed = 0;
  let failed = 0;
  const skipped: string[] = [];
  const waiting = [...files];
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const started = performance.now();
      const { report, output } = await runInProcess(join(root, file));
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      passed += report.passed;
      failed += report.failures.length;
      skipped.push(...report.skipped);
      const good = report.failures.length === 0;
      console.log(
        `${good ? "ok  " : "FAIL"} ${relative(process.cwd(), join(root, file))}  ${report.passed} passed, ${seconds} s`,
      );
      if (!good)
        console.log(
          output +
            report.failures
              .filter((text) => text !== "")
              .map((text) => `  ${text}\n`)
              .join(""),
        );
    }
  };
  await Promise.all(Array.from({ length: Math.min(mostAtOnce, availableParallelism()) }, worker));
  for (const text of skipped) console.log(`skipped: ${text}`);
  console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`);
  return failed > 0 ? 1 : 0;
}

process.exitCode = await main();

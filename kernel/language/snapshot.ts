import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { constants, homedir, setPriority } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LanguageOptions } from "./messages.ts";
import { makeSnapshot, type SnapshotPlan } from "./snapshot-entry.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);
const requireTslab = createRequire(require.resolve("tslab/dist/converter.js"));

/**
 * Under which the compiler runs. It makes much garbage and little that stays; by itself V8 lets the heap double before it
 * cleans up, which is 200 MB after a thousand cells. And sooner or later it tries to optimise the function that makes a
 * type checker, in which all of the checker lies: 100 MB for nothing, hence the limit in bytes of bytecode. V8 marks the
 * heap on threads beside the cells, four by itself, and whoever is to run next waits until one of them has had its four
 * milliseconds; a single one leaves the second core to the kernel and the realm. A snapshot serves only the flags under
 * which it was built.
 */
export const compilerFlags: readonly string[] = [
  "--heap-growing-percent=10",
  "--max-semi-space-size=4",
  "--max-optimized-bytecode-size=20000",
  "--v8-pool-size=1",
  "--expose-gc",
];

/** Everything that is frozen and does not lie in this folder. */
function frozenFiles(): Record<string, string> {
  const semver = requireTslab.resolve("semver");
  return {
    typescript: require.resolve("typescript"),
    "tslab/dist/converter.js": require.resolve("tslab/dist/converter.js"),
    "tslab/dist/inspect.js": require.resolve("tslab/dist/inspect.js"),
    "@tslab/typescript-for-tslab": requireTslab.resolve("@tslab/typescript-for-tslab"),
    semver,
  };
}

/** Where the snapshot for these options lies, or will lie: a name that changes with everything that is frozen. */
export function snapshotPath({ workingDirectory: _, ...options }: LanguageOptions): string {
  const hash = createHash("sha256").update(
    JSON.stringify([process.version, process.arch, compilerFlags, options, frozenFiles()]),
  );
  const declarations = options.preloaded.map((path) => path.replace(/\.js$/, ".d.ts"));
  const ours = readdirSync(folder).filter((name) => /\.js$/.test(name));
  for (const file of [...Object.values(frozenFiles()), ...declarations, ...ours.map((name) => join(folder, name))]) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${size} ${mtimeMs}\n`);
  }
  hash.update(newestDeclaration(options));
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(cache, "tessera", `language-${hash.digest("hex").slice(0, 16)}.blob`);
}

/** The library's declarations are many files in one build; the build leaves its own time stamp. */
function newestDeclaration({ preloaded }: Pick<LanguageOptions, "preloaded">): string {
  const stamps = preloaded.map((path) => {
    const build = join(dirname(path), "../.tsbuildinfo");
    return existsSync(build) ? String(statSync(build).mtimeMs) : "";
  });
  return stamps.join();
}

/** How long a builder may take before it is taken for dead. */
const longestBuild = 120_000;

/**
 * Builds the snapshot in a process of its own, which outlives this one: a kernel may be gone before the snapshot is
 * there. What goes wrong is told in `snapshot.log` beside the snapshot.
 */
export async function startBuilding(options: LanguageOptions): Promise<void> {
  const cache = dirname(snapshotPath(options));
  await mkdir(cache, { recursive: true });
  const log = await open(join(cache, "snapshot.log"), "w");
  const builder = fileURLToPath(new URL("build-snapshot.js", import.meta.url));
  spawn(process.execPath, [builder, JSON.stringify(options)], {
    stdio: ["ignore", log.fd, log.fd],
    detached: true,
    env: { ...process.env, NODE_OPTIONS: "" },
  }).unref();
  await log.close();
}

/**
 * Builds the snapshot, unless it is there or someone else is building it. Takes some seconds of one core.
 *
 * @returns whether it is there now
 */
export async function buildSnapshot(options: LanguageOptions): Promise<boolean> {
  const path = snapshotPath(options);
  if (existsSync(path)) return true;
  await mkdir(dirname(path), { recursive: true });
  const lock = `${path}.lock`;
  if (!(await acquire(lock))) return false;
  try {
    const built = `${path}.${process.pid}`;
    if (!(await run(options, built))) return false;
    await rename(built, path);
    await removeOlder(path);
    return true;
  } finally {
    await rm(lock, { force: true });
  }
}

async function run(options: LanguageOptions, blob: string): Promise<boolean> {
  const plan: SnapshotPlan = { folder, files: frozenFiles(), options };
  const script = `${blob}.js`;
  await writeFile(script, `(${makeSnapshot})(${JSON.stringify(plan)}, require);`);
  const child = spawn(process.execPath, [...compilerFlags, "--snapshot-blob", blob, "--build-snapshot", script], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  // The cells that run meanwhile come first.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  return new Promise((resolve) => {
    child.on("error", () => resolve(false));
    child.on("exit", (code) => {
      void rm(script, { force: true });
      if (code !== 0) console.error(`snapshot: could not be built, cells start slower without it\n${log}`);
      resolve(code === 0);
    });
  });
}

/** Takes a lock file; one that is older than any build is a dead builder's. */
async function acquire(lock: string): Promise<boolean> {
  try {
    await (await open(lock, "wx")).close();
    return true;
  } catch {
    const age = await stat(lock).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > longestBuild) await rm(lock, { force: true });
    return false;
  }
}

/**
 * Snapshots of versions that are gone, each some tens of megabytes: the newest two others stay. What dead builders left
 * goes, too.
 */
async function removeOlder(path: string): Promise<void> {
  const cache = dirname(path);
  const files = readdirSync(cache)
    .filter((name) => name.startsWith("language-"))
    .map((name) => join(cache, name))
    .filter((file) => file !== path)
    .map((file) => ({ file, modified: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.modified - a.modified);
  const others = files.filter(({ file }) => file.endsWith(".blob"));
  const left = files.filter(({ file, modified }) => !file.endsWith(".blob") && Date.now() - modified > longestBuild);
  for (const { file } of [...others.slice(2), ...left]) await rm(file, { force: true });
}

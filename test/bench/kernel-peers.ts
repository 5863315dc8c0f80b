import { type ChildProcess, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { kernelspec } from "../../kernel/install.ts";
import { findPython } from "../support/environment.ts";

/** What the same thing is called in the languages of the kernels. */
export interface Phrases {
  readonly first: string;
  /** Keeps a cell busy without a rest for some seconds. */
  busy(seconds: number): string;
  /** Prints this many lines, each its number. */
  print(lines: number): string;
  readonly declare: string;
  readonly kept: string;
  readonly completion: string;
  readonly inspection: string;
  readonly endless: Readonly<Record<string, string>>;
}

/** A kernel to be measured. */
export interface Peer {
  command(connectionFile: string): readonly string[];
  readonly phrases: Phrases;
  readonly environment: Readonly<Record<string, string>>;
  /** How its kernelspec says that cells are stopped. */
  readonly interruptMode: "message" | "signal";
  /** Told of each process, so that a step that is given up leaves none behind. */
  onSpawn?(child: ChildProcess): void;
}

const typescript: Phrases = {
  first: "const six: number = 6; six * 7",
  busy: (seconds) => `{ const until = Date.now() + ${1000 * seconds}; while (Date.now() < until); }`,
  print: (lines) => `for (let i = 0; i < ${lines}; i++) console.log(i)`,
  declare: "let kept = 7; const spin = () => { while (true) {} }",
  kept: "kept",
  completion: "kep",
  inspection: "kept",
  endless: {
    loop: "while (true) {}",
    loopAfterAwait: "await null; while (true) {}",
    loopOfAwaits: "for (;;) await null",
    pendingPromise: "await new Promise(() => {})",
    loopInTimer: "setTimeout(spin, 1); await new Promise(() => {})",
    loopInMicrotask: "queueMicrotask(spin); await new Promise(() => {})",
    loopInGetter: "({ get x() { return spin() } }).x",
    loopInGenerator: "for (const x of (function* () { while (true) yield 1 })()) {}",
    loopInComparator: "[3, 2, 1].sort(() => { while (true) {} })",
    regularExpression: "/(a+)+b/.test('a'.repeat(40))",
    loopInTry: "try { while (true) {} } catch {} finally {}",
  },
};

const python: Phrases = {
  first: "6 * 7",
  busy: (seconds) => `import time\nuntil = time.time() + ${seconds}\nwhile time.time() < until: pass`,
  print: (lines) => `for i in range(${lines}): print(i)`,
  declare: "kept = 7\nimport asyncio, re\ndef spin():\n    while True: pass",
  kept: "kept",
  completion: "kep",
  inspection: "kept",
  endless: {
    loop: "while True: pass",
    loopAfterAwait: "await asyncio.sleep(0)\nwhile True: pass",
    loopOfAwaits: "while True: await asyncio.sleep(0)",
    pendingPromise: "await asyncio.get_running_loop().create_future()",
    loopInTimer: "asyncio.get_running_loop().call_later(0.001, spin)\nawait asyncio.get_running_loop().create_future()",
    loopInMicrotask: "asyncio.get_running_loop().call_soon(spin)\nawait asyncio.get_running_loop().create_future()",
    loopInGetter: "class A:\n    x = property(lambda self: spin())\nA().x",
    loopInGenerator: "def g():\n    while True: yield 1\nfor x in g(): pass",
    loopInComparator: "sorted([3, 2, 1], key=lambda x: spin())",
    regularExpression: "re.match('(a+)+b', 'a' * 40)",
    loopInTry: "try:\n    while True: pass\nexcept ValueError: pass\nfinally: pass",
  },
};

/**
 * Every kernel that is there, ours first; for one that is not, the reason.
 *
 * @param folder for what ours keeps between its starts
 */
export function findPeers(folder: string): Readonly<Record<string, Peer | string>> {
  return { tessera: tessera(folder), tslab: tslab(), ipykernel: ipykernel(), deno: deno() };
}

function tessera(folder: string): Peer {
  const { argv, env } = kernelspec();
  return {
    command: (file) => argv.map((part) => (part === "{connection_file}" ? file : part)),
    phrases: typescript,
    environment: { ...env, XDG_CACHE_HOME: folder },
    interruptMode: "message",
  };
}

function tslab(): Peer {
  const program = join(dirname(createRequire(import.meta.url).resolve("tslab/package.json")), "bin/tslab");
  return {
    command: (file) => [process.execPath, program, "kernel", "--config-path", file],
    phrases: typescript,
    environment: {},
    interruptMode: "signal",
  };
}

function ipykernel(): Peer | string {
  const found = findPython("ipykernel");
  if ("missing" in found) return `absent: ${found.missing}`;
  return {
    command: (file) => [found.python, "-m", "ipykernel_launcher", "-f", file],
    phrases: python,
    environment: {},
    interruptMode: "signal",
  };
}

function deno(): Peer | string {
  const folders = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "deno"));
  const program = [process.env.TESSERA_DENO, ...folders].find((path) => path && existsSync(path));
  if (!program || spawnSync(program, ["--version"]).status !== 0) return "absent: no Deno at TESSERA_DENO or in PATH";
  return {
    command: (file) => [program, "jupyter", "--kernel", "--conn", file],
    phrases: typescript,
    environment: {},
    interruptMode: "message",
  };
}

/** What {@link endlessCells} call; a cell to run before them. `kept` and `ticks` show what an interrupt leaves. */
export const endlessPrelude = `
  let kept = 7
  let ticks = 0
  const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
  const spin = () => { while (true) {} }
`;

/** A local module that never comes back; it must lie as `endless.ts` in the kernel's working directory. */
export const endlessModule = "export function forever(): never { for (;;) {} }";

/** A WebAssembly module with one exported function `f`, which is a loop. */
const wasmLoop = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 3, 64, 12, 0, 11,
  11,
];

/** Cells that never end by themselves. Those that count ticks must not count on after the interrupt. */
export const endlessCells: Readonly<Record<string, string>> = {
  "a loop": "while (true) {}",
  "a loop after an await": "await null; while (true) {}",
  "a loop of awaits": "for (;;) { await null; ticks++ }",
  "a promise that never settles": "await new Promise(() => {})",
  "a chain of promises": "const again = (): any => Promise.resolve().then(again); await again()",
  "a loop in a timer": "setTimeout(spin, 1); await new Promise(() => {})",
  "a loop in a microtask": "queueMicrotask(spin); await sleep(1e6)",
  "a loop in process.nextTick": "const tick = () => process.nextTick(tick); tick(); await new Promise(() => {})",
  "a loop of ticks and promises": "for (;;) await new Promise((go) => process.nextTick(go))",
  "a loop in a getter": "({ get x() { return spin() } }).x",
  "a loop in a generator": "for (const x of (function* () { while (true) yield ticks++ })()) {}",
  "a loop in a comparator": "[3, 2, 1].sort(() => { while (true) {} })",
  "a catastrophic regular expression": "/(a+)+b/.test('a'.repeat(40))",
  "a loop in try": "try { while (true) {} } catch {} finally {}",
  "a loop that catches": "while (true) { try { spin() } catch {} }",
  "a loop in an imported module": "import { forever } from './endless.ts'; forever()",
  "a loop in WebAssembly": `const { Instance, Module } = WebAssembly; (new Instance(new Module(Uint8Array.of(${wasmLoop}))).exports.f as () => void)()`,
  "a training step":
    "await compile(nn.sequential([nn.flatten(), nn.dense(512), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 }), { loss: nn.crossEntropy(), optimizer: nn.sgd({ rate: 0.1 }), batch: 512 }).fit(datasets.syntheticDigits({ train: 2048 }).train, { epochs: 1e6 })",
  "sleeping in turns": "while (true) { await sleep(5); ticks++ }",
  "an interval": "setInterval(() => { ticks++ }, 5); await new Promise(() => {})",
  "timers/promises in turns":
    "import { setTimeout as wait } from 'node:timers/promises'; while (true) { await wait(5); ticks++ }",
  "reading files in turns": "import { stat } from 'node:fs/promises'; while (true) { await stat('/'); ticks++ }",
  "immediates in turns": "const soon = () => { ticks++; setImmediate(soon) }; soon(); await new Promise(() => {})",
  "a loop that prints": "await sleep(50); for (;;) console.log('x'.repeat(100))",
  "a loop that displays": "await sleep(50); for (;;) display.html('<b>x</b>')",
  "a question to the reader": "prompt('Well?')",
  "waiting on shared memory": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
};

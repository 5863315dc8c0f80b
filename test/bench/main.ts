// Benchmarks: `npm run bench -- NAME [--json]`. Figures are medians; peers run in the same run, or are named as absent.
import { parseArgs } from "node:util";
import { type BenchmarkReport, describeMachine, type Figures, type Measured, ratiosOf } from "./benchmark.ts";

/** Every benchmark by name: a file each, loaded when asked for. */
const benchmarks: Readonly<Record<string, () => Promise<{ measure(): Promise<Measured> }>>> = {
  alexnet: () => import("./alexnet.ts"),
  blocks: () => import("./blocks.ts"),
  chain: () => import("./chain.ts"),
  cnn: () => import("./cnn.ts"),
  containment: () => import("./containment.ts"),
  fit: () => import("./fit.ts"),
  headless: () => import("./headless.ts"),
  interrupts: () => import("./interrupts.ts"),
  kernel: () => import("./kernel.ts"),
  memory: () => import("./memory.ts"),
  minimalloc: () => import("./minimalloc.ts"),
  mlp: () => import("./mlp.ts"),
  picture: () => import("./picture.ts"),
  "picture-live": () => import("./picture-live.ts"),
  profile: () => import("./profile.ts"),
  resnet: () => import("./resnet.ts"),
  scaling: () => import("./scaling.ts"),
  sgemm: () => import("./sgemm.ts"),
  strategies: () => import("./strategies.ts"),
  tiles: () => import("./tiles.ts"),
};

/** A number as a person reads it, with the unit that its name ends in. */
function format(name: string, value: number): string {
  if (name.endsWith("FlopsPerSecond")) return `${(value / 1e9).toFixed(1)} GF/s`;
  if (name.endsWith("PerSecond")) return `${Math.round(value).toLocaleString("en")} /s`;
  if (name.endsWith("Seconds")) return value < 0.1 ? `${(value * 1e6).toFixed(1)} µs` : `${value.toFixed(2)} s`;
  if (name.endsWith("Bytes")) return `${value.toLocaleString("en")} B`;
  if (name.endsWith("Explained")) return `${(100 * value).toFixed(2)} %`;
  return String(value);
}

function printTable({ name, figures, peers, ratios, machine }: BenchmarkReport): void {
  const peak = format("FlopsPerSecond", machine.wasmPeakFlopsPerSecond as number);
  console.log(`${name} on ${machine.processor}, ${machine.cores} cores, Node ${machine.node}`);
  console.log(`limit of one thread's WebAssembly arithmetic ${peak}; load before ${machine.loadBefore}`);
  const present = Object.entries(peers).filter((peer): peer is [string, Figures] => typeof peer[1] !== "string");
  for (const [peer, reason] of Object.entries(peers)) if (typeof reason === "string") console.log(`${peer}: ${reason}`);
  const width = Math.max(...Object.keys(figures).map((key) => key.length));
  for (const [key, value] of Object.entries(figures)) {
    const others = present
      .filter(([, theirs]) => theirs[key] !== undefined)
      .map(([peer, theirs]) => {
        // A figure that is zero has no ratio.
        const ratio = ratios[peer][key];
        return `${peer} ${format(key, theirs[key])}${ratio === undefined ? "" : ` (${ratio.toFixed(2)}×)`}`;
      });
    console.log([`  ${key.padEnd(width)}  ${format(key, value).padStart(14)}`, ...others].join("   "));
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "boolean" } } });
  const [name] = positionals;
  const benchmark = Object.hasOwn(benchmarks, name ?? "") ? benchmarks[name] : undefined;
  if (benchmark === undefined || positionals.length !== 1) {
    const known = Object.keys(benchmarks).join(", ");
    console.error(`bench: one benchmark must be named, got "${positionals.join(" ")}"; there are ${known}`);
    return 1;
  }
  const machine = await describeMachine();
  const { measure } = await benchmark();
  const { figures, peers } = await measure();
  const ratios = Object.fromEntries(
    Object.entries(peers).flatMap(([peer, theirs]) =>
      typeof theirs === "string" ? [] : [[peer, ratiosOf(figures, theirs)]],
    ),
  );
  const report: BenchmarkReport = { name, figures, peers, ratios, machine };
  printTable(report);
  if (values.json) console.log(JSON.stringify(report));
  return 0;
}

process.exitCode = await main();

// `npm run bench -- interrupts`: stops every kind of endless cell a hundred times over and looks whether the values are kept.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endlessCells, endlessModule, endlessPrelude } from "../support/endless-cells.ts";
import { KernelClient, printed, result } from "../support/kernel-client.ts";
import type { Measured } from "./benchmark.ts";

const repeats = Number(process.env.TESSERA_REPEATS ?? 100);

/** Into the middle of a cell, past its type check; some have files to read or a network to compile before they loop. */
const millisecondsBefore = (kind: string): number =>
  kind === "a loop in an imported module" || kind === "a training step" ? 1000 : 100;

/** Seconds from the interrupt to the reply of the stopped cell. Throws where it ended otherwise, or the values are gone. */
async function stop(kernel: KernelClient, kind: string, code: string): Promise<number> {
  const id = kernel.send("execute_request", { code, allow_stdin: true });
  const ended = kernel.reply(id);
  await kernel.until(({ header, parent_header: p }) => p.msg_id === id && header.msg_type === "execute_input");
  await sleep(millisecondsBefore(kind));
  const began = performance.now();
  await kernel.request("interrupt_request", {}, "control");
  const { status, ename, evalue } = (await ended).content;
  const seconds = (performance.now() - began) / 1000;
  const after = await kernel.execute("console.log('heard'); kept");
  kernel.published.length = 0;
  // A training step that ends within the time of grace is told by `fit` itself, as an InterruptedError.
  if (!/^Interrupted(Error)?$/.test(String(ename))) throw new Error(`the cell ended with ${status} ${ename} ${evalue}`);
  if (result(after) !== "7" || printed(after) !== "heard\n")
    throw new Error(`the next cell came to ${JSON.stringify(after.reply.content)}`);
  return seconds;
}

async function begin(folder: string): Promise<KernelClient> {
  const kernel = await KernelClient.start({ workingDirectory: folder });
  await kernel.execute(endlessPrelude);
  return kernel;
}

/** Our kernel alone: no other stops all of these even once. */
export async function measure(): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "tessera-interrupts-"));
  writeFileSync(join(folder, "endless.ts"), endlessModule);
  let kernel = await begin(folder);
  const figures: Record<string, number> = {
    repeats,
    kinds: Object.keys(endlessCells).length,
    stoppedWithValuesKept: 0,
  };
  const all: number[] = [];
  try {
    for (const [kind, code] of Object.entries(endlessCells)) {
      const seconds: number[] = [];
      for (let repeat = 0; repeat < repeats; repeat++) {
        try {
          seconds.push(await stop(kernel, kind, code));
        } catch (error) {
          // No answer, or a wrong one, is a result too: it is said and not counted as stopped, and a new kernel goes on.
          console.log(`${kind}, repeat ${repeat + 1}: ${(error as Error).message.split("\n", 1)[0]}`);
          kernel.child.kill("SIGKILL");
          await kernel.stop();
          kernel = await begin(folder);
        }
      }
      figures.stoppedWithValuesKept += seconds.length;
      seconds.sort((a, b) => a - b);
      all.push(...seconds);
      const words = kind.split(/\W+/).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
      figures[`longestOf${words.join("")}Seconds`] = seconds.at(-1) ?? Number.NaN;
    }
  } finally {
    await kernel.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  all.sort((a, b) => a - b);
  figures.medianSeconds = all[all.length >> 1];
  figures.percentile99Seconds = all[Math.floor(all.length * 0.99)];
  return { figures, peers: {} };
}

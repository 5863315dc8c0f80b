// `npm run bench -- kernel`: our kernel, tslab's, ipykernel and Deno's, each a real process spoken to over real sockets.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Message } from "../../kernel/protocol/index.ts";
import { prepareSnapshot } from "../../kernel/session/index.ts";
import { KernelClient } from "../support/kernel-client.ts";
import { type Figures, type Measured, median } from "./benchmark.ts";
import { findPeers, type Peer } from "./kernel-peers.ts";
import { memoryOf } from "./process-memory.ts";

/** Starts of our kernel, and of each other. */
const repeats = Number(process.env.TESSERA_REPEATS ?? 20);
const starts = { ours: repeats, theirs: Math.min(repeats, 7) };
const lines = 100_000;
/** A step that takes longer than this is given up: that is its result. */
const stepSeconds = 120;
const now = (): number => performance.now() / 1000;

async function spawn(peer: Peer): Promise<KernelClient> {
  const kernel = await KernelClient.spawn(peer);
  peer.onSpawn?.(kernel.child);
  return kernel;
}

/** Starts a kernel and waits until it answers and its iopub is heard, whether it greets subscribers or not. */
async function start(peer: Peer): Promise<KernelClient> {
  const kernel = await spawn(peer);
  const heard = (message: Message): boolean => message.header.msg_type === "status";
  for (let attempt = 0; !kernel.published.some(heard); attempt++) {
    await kernel.reply(kernel.send("kernel_info_request", {}));
    await sleep(50);
    if (attempt > 100) throw new Error("kernel: must be heard on iopub, got silence for five seconds");
  }
  return kernel;
}

/** Seconds from the start of the process to its first answer, and to its first result. */
async function startUp(peer: Peer, rounds: number): Promise<Figures> {
  const information: number[] = [];
  const results: number[] = [];
  // The first start fills the system's caches.
  const warming = await start(peer);
  await warming.execute(peer.phrases.first);
  await warming.stop();
  for (let round = 0; round < rounds; round++) {
    const began = now();
    const kernel = await spawn(peer);
    const informed = kernel.reply(kernel.send("kernel_info_request", {})).then(() => now() - began);
    const id = kernel.send("execute_request", { code: peer.phrases.first, silent: false, store_history: true });
    const { content } = await kernel.reply(id);
    results.push(now() - began);
    information.push(await informed);
    if (content.status !== "ok") throw new Error(`first cell: must succeed, got ${JSON.stringify(content)}`);
    await kernel.stop();
  }
  return { kernelInfoSeconds: median(information), firstResultSeconds: median(results) };
}

/**
 * Runs a cell; resolves with the seconds from request to idle. A kernel that loses its `idle` (tslab does so once in some
 * five hundred messages: it begins to send one before the last is sent) has run the cell all the same: undefined.
 */
async function run(kernel: KernelClient, code: string): Promise<number | undefined> {
  const began = now();
  const id = kernel.send("execute_request", { code, silent: false, store_history: true });
  const idle = kernel.idle(id).then(
    () => now() - began,
    () => undefined,
  );
  const { content } = await kernel.reply(id);
  if (content.status !== "ok") throw new Error(`cell: must succeed, got ${content.evalue}`);
  const limit = new AbortController();
  const lost = sleep(1000, undefined, { signal: limit.signal }).catch(() => undefined);
  const seconds = await Promise.race([idle, lost]);
  limit.abort();
  return seconds;
}

/** Median seconds of `1+1`, from request to idle. */
async function roundTrip(kernel: KernelClient): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round < 20; round++) {
    const taken = await run(kernel, "1+1");
    if (taken !== undefined) seconds.push(taken);
  }
  return median(seconds);
}

/** Runs cells that declare and compute something; each kernel gets the same number. Resolves with the longest's seconds. */
async function runCells(kernel: KernelClient, { phrases }: Peer, from: number, to: number): Promise<number> {
  const isPython = phrases.first === "6 * 7";
  let longest = 0;
  for (let cell = from; cell < to; cell++) {
    const code = isPython
      ? `value${cell} = [x * ${cell} for x in (1, 2, 3)]\ndef f${cell}(x): return x + value${cell}[0]\nf${cell}(1)`
      : `const value${cell} = [1, 2, 3].map((x) => x * ${cell}); function f${cell}(x: number) { return x + value${cell}[0] }\nf${cell}(1)`;
    longest = Math.max(longest, (await run(kernel, code)) ?? 0);
  }
  return longest;
}

/** After a moment of rest, as between the cells of a reader: what comes and goes in a burst of cells is not growth. */
async function restingMemory(pid: number): Promise<number | undefined> {
  await sleep(2500);
  return memoryOf(pid);
}

/** Notes each figure as soon as it is known: a kernel that gives up at cell 400 was measured until then. */
async function growth(peer: Peer, cells: 500 | 1000, figures: Record<string, number>): Promise<Figures> {
  const kernel = await start(peer);
  const note = (name: string, value: number | undefined): void => {
    if (value !== undefined) figures[name] = value;
  };
  try {
    const { pid = 0 } = kernel.child;
    await kernel.execute(peer.phrases.first);
    note("idleBytes", await restingMemory(pid));
    await runCells(kernel, peer, 0, 20);
    note("onePlusOneSeconds", await roundTrip(kernel));
    await runCells(kernel, peer, 20, 100);
    note("after100CellsBytes", await restingMemory(pid));
    let longest = await runCells(kernel, peer, 100, 500);
    note("onePlusOneAfter500CellsSeconds", await roundTrip(kernel));
    if (cells === 1000) longest = Math.max(longest, await runCells(kernel, peer, 500, 1000));
    note("longestCellAfter100Seconds", longest);
    note(`after${cells}CellsBytes`, await restingMemory(pid));
  } finally {
    await kernel.stop();
  }
  return figures;
}

/** Medians of several kernels, one after the other: when each collects its garbage is chance. */
async function ourGrowth(peer: Peer, figures: Record<string, number>): Promise<Figures> {
  const kernels: Record<string, number>[] = [];
  for (let kernel = 0; kernel < 3; kernel++) {
    const grown: Record<string, number> = {};
    await growth(peer, 1000, grown);
    kernels.push(grown);
  }
  for (const name of Object.keys(kernels[0])) figures[name] = median(kernels.map((grown) => grown[name]));
  return figures;
}

/** Seconds to each answer while a cell keeps the kernel busy; for one that waits for the cell, the whole wait. */
async function whileBusy(peer: Peer): Promise<Figures> {
  const kernel = await start(peer);
  const { busy, completion, declare, inspection } = peer.phrases;
  try {
    await kernel.execute(declare);
    let isOver = false;
    // Only a question asked while the cell runs says anything: after one that waited for its end, the rest are late.
    const asked = async (ask: () => Promise<unknown>): Promise<number | undefined> => {
      if (isOver) return undefined;
      const began = now();
      await ask();
      return now() - began;
    };
    // Warm: the question before the loop is the same.
    const complete = (): Promise<unknown> =>
      kernel.reply(kernel.send("complete_request", { code: completion, cursor_pos: completion.length }));
    const inspect = (): Promise<unknown> =>
      kernel.reply(kernel.send("inspect_request", { code: inspection, cursor_pos: 2, detail_level: 0 }));
    await complete();
    await inspect();
    const ended = kernel.execute(busy(10)).then(() => {
      isOver = true;
    });
    ended.catch(() => {});
    await sleep(500);
    const heartbeat = await asked(() => kernel.heartbeat("beat"));
    const control = await asked(() => kernel.reply(kernel.send("kernel_info_request", {}, "control")));
    const completions: (number | undefined)[] = [];
    const inspections: (number | undefined)[] = [];
    for (let round = 0; round < 5; round++) {
      completions.push(await asked(complete));
      inspections.push(await asked(inspect));
    }
    await ended;
    const figures: Record<string, number> = {};
    const note = (name: string, seconds: readonly (number | undefined)[]): void => {
      const known = seconds.filter((value) => value !== undefined);
      if (known.length > 0) figures[`${name}WhileBusySeconds`] = Math.max(...known);
    };
    note("heartbeat", [heartbeat]);
    note("control", [control]);
    note("completion", completions);
    note("inspection", inspections);
    return figures;
  } finally {
    await kernel.stop();
  }
}

/**
 * Prints many lines, in a kernel that has run a cell before. A kernel that drops messages may never say that it is done: then
 * there is no time to tell.
 */
async function printing(peer: Peer): Promise<Figures> {
  const kernel = await start(peer);
  try {
    await run(kernel, peer.phrases.first);
    const began = now();
    const id = kernel.send("execute_request", { code: peer.phrases.print(lines), silent: false, store_history: true });
    const [, printSeconds] = await Promise.all([
      kernel.reply(id),
      // The client gives up after half a minute.
      kernel.idle(id).then(
        () => now() - began,
        () => undefined,
      ),
    ]);
    const text = kernel
      .publishedFor(id)
      .filter(({ header, content }) => header.msg_type === "stream" && content.name === "stdout")
      .map(({ content }) => content.text)
      .join("");
    const arrived = text.split("\n").filter((line, index) => line === String(index)).length;
    return { ...(printSeconds === undefined ? {} : { printSeconds }), linesArrivedInOrder: arrived };
  } finally {
    await kernel.stop();
  }
}

/** Seconds until a stopped cell is over; kinds of which the kernel cannot be stopped are left out, and counted. */
async function interrupts(peer: Peer): Promise<Figures> {
  const figures: Record<string, number> = {};
  let kernel = await start(peer);
  let stopped = 0;
  await kernel.execute(peer.phrases.declare);
  for (const [kind, code] of Object.entries(peer.phrases.endless)) {
    const id = kernel.send("execute_request", { code, allow_stdin: false });
    const ended = kernel.reply(id);
    await sleep(400);
    const began = now();
    if (peer.interruptMode === "signal") kernel.child.kill("SIGINT");
    else kernel.send("interrupt_request", {}, "control");
    const over = await Promise.race([ended.then(() => now() - began), sleep(2000, undefined)]);
    const kept = over === undefined ? undefined : await isKept(kernel, peer);
    if (over !== undefined && kept) {
      figures[`${kind}StopSeconds`] = over;
      stopped++;
      continue;
    }
    kernel.child.kill("SIGKILL");
    await kernel.stop();
    kernel = await start(peer);
    await kernel.execute(peer.phrases.declare);
  }
  await kernel.stop();
  return { ...figures, interruptsStopped: stopped, interruptsAsked: Object.keys(peer.phrases.endless).length };
}

async function isKept(kernel: KernelClient, { phrases }: Peer): Promise<boolean> {
  const id = kernel.send("execute_request", { code: phrases.kept });
  const reply = await Promise.race([kernel.reply(id), sleep(2000, undefined)]);
  return reply?.content.status === "ok";
}

/** Runs one step; one that fails or takes too long is said aloud, and the next one has its turn. */
async function bounded(name: string, peer: Peer, step: (peer: Peer) => Promise<Figures>): Promise<Figures> {
  // A step that is given up may be in the middle of anything: its kernels are ended, later ones as they start.
  const children = new Set<KernelClient["child"]>();
  let over = false;
  const watched: Peer = { ...peer, onSpawn: (child) => (over ? child.kill("SIGKILL") : children.add(child)) };
  const limit = new AbortController();
  const late = sleep(1000 * stepSeconds, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`not over after ${stepSeconds} s`);
  });
  late.catch(() => {});
  const work = step(watched);
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    // The end of a kernel's log may follow; its first line says what was waited for.
    console.log(`${name}: ${(error as Error).message.split("\n", 1)[0]}`);
    return {};
  } finally {
    over = true;
    limit.abort();
    for (const child of children) child.kill("SIGKILL");
  }
}

async function measurePeer(name: string, peer: Peer, isOurs: boolean): Promise<Figures> {
  const grown: Record<string, number> = {};
  const steps: Readonly<Record<string, (peer: Peer) => Promise<Figures>>> = {
    "start-up": (watched) => startUp(watched, isOurs ? starts.ours : starts.theirs),
    growth: (watched) => (isOurs ? ourGrowth(watched, grown) : growth(watched, 500, grown)),
    "while busy": whileBusy,
    printing,
    interrupts,
  };
  const figures: Record<string, number> = {};
  for (const [step, run] of Object.entries(steps)) {
    Object.assign(figures, await bounded(`${name}, ${step}`, peer, run));
  }
  return { ...grown, ...figures };
}

/** Our kernel beside the others, one after the other in one run. */
export async function measure(): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "tessera-bench-"));
  try {
    const { tessera, ...others } = findPeers(folder);
    // As `tessera install` does.
    process.env.XDG_CACHE_HOME = folder;
    await prepareSnapshot();
    const figures = await measurePeer("tessera", tessera as Peer, true);
    const peers: Record<string, Figures | string> = {};
    for (const [name, peer] of Object.entries(others)) {
      peers[name] = typeof peer === "string" ? peer : await measurePeer(name, peer, false);
    }
    return { figures, peers };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

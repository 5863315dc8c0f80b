import type { Kernel } from "@jupyterlab/services";
import { connectKernel, type KernelSource } from "./connection.ts";

/** A kernel that a run may use: nothing has been executed on it. */
export interface Lease {
  readonly connection: Kernel.IKernelConnection;
  /** Gives the kernel back. One that was lost or stopped is not `reusable`: it is ended. */
  release(reusable: boolean): Promise<void>;
}

/** How a pool keeps its kernels. */
export interface PoolOptions {
  /** Kernels for notebooks that stand in this folder. */
  readonly kernels: (workingDirectory: string) => KernelSource;
  readonly kernelName: string;
  /** How many kernels are in use at most. */
  readonly size: number;
  /** Whether a kernel may serve one notebook after another, restarted between: where a restart is cheaper than a start. */
  readonly reuse: boolean;
}

interface Held {
  readonly source: KernelSource;
  readonly model: Kernel.IModel;
  uses: number;
}

/** A kernel that served so many notebooks makes room for a new one: what leaks, leaks slowly. */
const mostUses = 50;

/**
 * Kernels that are ready before they are needed. Starting one takes longer than most short notebooks do, so while one
 * notebook runs, the kernel for the next comes up; and a kernel that did well is restarted rather than replaced.
 */
export class KernelPool {
  readonly #options: PoolOptions;
  readonly #sources = new Map<string, KernelSource>();
  /** By folder: kernels that are ready, or on their way. */
  readonly #ready = new Map<string, Promise<Held>[]>();
  readonly #ending = new Set<Promise<void>>();

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Takes a kernel; with `more`, another one is started at once for whoever comes next. */
  async lease(folder: string, more: boolean): Promise<Lease> {
    const ready = this.#readyFor(folder);
    const coming = ready.shift() ?? this.#start(folder);
    // In a pool that reuses, a kernel given back is the next one.
    if (more && ready.length === 0 && !this.#options.reuse) ready.push(heldForLater(this.#start(folder)));
    const held = await coming;
    const connection = connectKernel(held.source, held.model);
    return { connection, release: (reusable) => this.#release(folder, held, connection, reusable) };
  }

  /** Ends every kernel that nobody uses; resolves when they, and those given back before, are gone. */
  async close(): Promise<void> {
    const coming = [...this.#ready.values()].flat();
    this.#ready.clear();
    const started = await Promise.allSettled(coming);
    for (const result of started) if (result.status === "fulfilled") this.#end(result.value);
    await Promise.all(this.#ending);
  }

  #readyFor(folder: string): Promise<Held>[] {
    const ready = this.#ready.get(folder) ?? [];
    this.#ready.set(folder, ready);
    return ready;
  }

  async #start(folder: string): Promise<Held> {
    const source = this.#sources.get(folder) ?? this.#options.kernels(folder);
    this.#sources.set(folder, source);
    const model = await source.kernels.startNew({ name: this.#options.kernelName });
    return { source, model, uses: 0 };
  }

  async #release(folder: string, held: Held, connection: Kernel.IKernelConnection, reusable: boolean): Promise<void> {
    held.uses++;
    const alive = !connection.isDisposed;
    connection.dispose();
    if (this.#options.reuse && reusable && alive && held.uses < mostUses) {
      const restarted = held.source.kernels.restart(held.model.id).then(() => held);
      this.#readyFor(folder).push(heldForLater(restarted));
    } else {
      this.#end(held);
    }
  }

  /** Ends a kernel in the background: nobody waits for an end but `close`. */
  #end({ source, model }: Held): void {
    // A kernel that died is not there to be ended.
    const ended = source.kernels.shutdown(model.id).catch(() => {});
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
  }
}

/** A kernel on its way that nobody waits for yet: its failure is met by whoever takes it. */
function heldForLater(coming: Promise<Held>): Promise<Held> {
  coming.catch(() => {});
  return coming;
}

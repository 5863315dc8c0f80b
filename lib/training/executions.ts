import type { Schedule } from "../compiler/index.ts";
import type { CompiledProgram, Engine, Execution } from "../engine/index.ts";
import type { DataOf } from "../tensor/index.ts";
import { Safekeeping } from "./safekeeping.ts";

/** What is carried from run to run: weights and the optimiser's states, by name. */
export type Carried = ReadonlyMap<string, DataOf>;

/**
 * The programs of one model, by purpose and batch, and the one set of weights that they share: it lies in the arena of
 * the program that ran last, and is copied when another one is asked for.
 */
export class Executions {
  readonly #engine: Engine;
  readonly #schedule: (purpose: string, batch: number) => Schedule;
  readonly #compiled = new Map<string, CompiledProgram>();
  readonly #loaded = new Map<string, Execution>();
  /** Weights, or how to make them: those of large networks are drawn when they are first asked for. */
  #weights: Carried | (() => Carried);
  #home: Execution | null = null;
  /** Through which steps are taken, so that they are whole or undone. */
  readonly safekeeping = new Safekeeping({
    current: () => this.#current(),
    moveTo: (execution) => this.#moveTo(execution),
  });

  constructor(engine: Engine, schedule: (purpose: string, batch: number) => Schedule, weights: () => Carried) {
    this.#engine = engine;
    this.#schedule = schedule;
    this.#weights = weights;
  }

  /** The compiled program for a purpose and batch; compiled once. */
  compiled(purpose: string, batch: number): CompiledProgram {
    const key = `${purpose} ${batch}`;
    let program = this.#compiled.get(key);
    if (program === undefined) {
      program = this.#engine.compile(this.#schedule(purpose, batch));
      this.#compiled.set(key, program);
    }
    return program;
  }

  /**
   * The loaded program for a purpose and batch, holding the current weights.
   *
   * @param trains whether running it changes the weights, so that they are its own from now on
   */
  async acquire(purpose: string, batch: number, trains: boolean): Promise<Execution> {
    const key = `${purpose} ${batch}`;
    let execution = this.#loaded.get(key);
    if (execution === undefined) {
      execution = await this.#engine.load(this.compiled(purpose, batch));
      this.#loaded.set(key, execution);
    }
    this.safekeeping.recover();
    if (trains) this.#moveTo(execution);
    else this.#copyTo(execution);
    return execution;
  }

  /** A loaded program of the asker's own making, by name, that holds the current weights and does not change them. */
  async acquireOther(name: string, schedule: () => Schedule): Promise<Execution> {
    let execution = this.#loaded.get(name);
    if (execution === undefined) {
      execution = await this.#engine.load(this.#engine.compile(schedule()));
      this.#loaded.set(name, execution);
    }
    this.safekeeping.recover();
    this.#copyTo(execution);
    return execution;
  }

  /** The current weights and states, where they lie: read at once, or copy. */
  weights(): Carried {
    this.safekeeping.recover();
    return this.#current();
  }

  #current(): Carried {
    if (typeof this.#weights === "function") this.#weights = this.#weights();
    const home = this.#home;
    if (home === null) return this.#weights;
    return new Map([...this.#weights.keys()].map((name) => [name, home.input(name)]));
  }

  /** Replaces weights and states. */
  setWeights(weights: Carried): void {
    this.safekeeping.forget();
    this.#home = null;
    this.#weights = weights;
  }

  /** Gives back the arenas; the weights are kept. */
  dispose(): void {
    if (this.#home !== null) this.#weights = new Map([...this.weights()].map(([name, data]) => [name, data.slice()]));
    this.safekeeping.forget();
    this.#home = null;
    for (const execution of this.#loaded.values()) execution.dispose();
    this.#loaded.clear();
  }

  #copyTo(execution: Execution): void {
    if (execution === this.#home) return;
    const weights = this.#current();
    for (const { name, role } of execution.program.schedule.graph.inputs) {
      if (role !== "parameter" && role !== "state") continue;
      const data = weights.get(name);
      if (data === undefined) throw new Error(`internal: nothing is carried for ${name}`);
      execution.input(name).set(data as never);
    }
  }

  #moveTo(execution: Execution): void {
    this.#copyTo(execution);
    this.#home = execution;
  }
}

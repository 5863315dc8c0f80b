import { Replay } from "./replay.ts";
import type { Stage } from "./stages.ts";
import type { Tape } from "./tape.ts";

/** Runs a tape on paper stage by stage. */
export class StageReplay {
  readonly replay: Replay;
  readonly #tape: Tape;
  readonly #stages: readonly Stage[];
  readonly #ran = new Set<number>();

  constructor(tape: Tape, stages: readonly Stage[]) {
    this.replay = new Replay(tape);
    this.#tape = tape;
    this.#stages = stages;
  }

  /** Whether a stage has run forward before. */
  hasRun(stage: number): boolean {
    return this.#ran.has(stage);
  }

  /** Runs a stage forward: all of it the first time, and what its result needs when it comes again. */
  forward(stage: number): void {
    const { forward, boundary } = this.#stages[stage];
    if (this.#ran.has(stage)) for (const id of boundary) this.replay.need(id);
    else for (const position of forward) this.replay.run(position);
    this.#ran.add(stage);
  }

  /** Runs a stage backward; what it needs of its forward pass and is not there is made again. */
  backward(stage: number): void {
    for (const position of this.#stages[stage].backward) this.replay.run(position);
  }

  /** Lets go of what a stage has made forward, but for its result. */
  forgetInside(stage: number): void {
    const { forward, boundary } = this.#stages[stage];
    this.replay.forget(internalsOf(this.#tape, forward, boundary));
  }
}

/** The values that some operations make, but for those that are told. */
export function internalsOf(
  { graph, root }: Tape,
  positions: readonly number[],
  except: readonly number[],
): readonly number[] {
  const kept = new Set(except);
  return positions.flatMap((position) =>
    graph.operations[position].outputs.map(({ id }) => root[id]).filter((id) => !kept.has(id)),
  );
}

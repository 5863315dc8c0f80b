import type { Worker } from "node:worker_threads";
import {
  type RematerialisationAction,
  type RematerialisationCost,
  type RematerialisationProblem,
  rematerialisationProgramme,
  simulateRematerialisation,
} from "./exact-programme.ts";

/** What the solver's thread is asked. */
export interface SolverQuestion {
  readonly text: string;
  readonly names: readonly string[];
  readonly seconds: number;
}

/** What it answers: values in the order of the names, or null if no solution was found. */
export type SolverAnswer =
  | { readonly verdict: "infeasible" }
  | {
      readonly verdict: "optimal" | "stopped";
      readonly relaxedBound: number;
      readonly bound: number;
      readonly values: readonly number[] | null;
    };

/** Limits of a search. */
export interface ExactOptions {
  /** Seconds after which the best solution until then is taken; 60 unless told. */
  readonly seconds?: number;
  /** Ends the search at once, without a result. */
  readonly signal?: AbortSignal;
}

/** The best plan that was found, and what is known of better ones. */
export interface ExactRematerialisation {
  /** `optimal` where it is proved that no plan is cheaper; `stopped` where time ran out before. */
  readonly verdict: "optimal" | "stopped";
  /** The plan with its cost and peak as recounted; null if time ran out before one was found. */
  readonly plan: (RematerialisationCost & { readonly actions: readonly RematerialisationAction[] }) | null;
  /** No plan costs less. */
  readonly bound: number;
  /** The linear programme's optimum, a weaker bound. */
  readonly relaxedBound: number;
}

/**
 * The cheapest way to compute every node of a small graph within a budget of bytes, by an integer programme that HiGHS
 * solves in a thread of its own (Huangfu and Hall, "Parallelizing the dual revised simplex method", 2018). Time grows
 * steeply: some 20 nodes take seconds, 40 minutes or more. Needs Node.
 *
 * @throws Error if no plan keeps the budget, or if `signal` aborts the search
 */
export async function exactRematerialisation(
  problem: RematerialisationProblem,
  budgetBytes: number,
  { seconds = 60, signal }: ExactOptions = {},
): Promise<ExactRematerialisation> {
  if (!(seconds > 0)) throw new Error(`rematerialisation: seconds must be above 0, got ${seconds}; try 60`);
  const { text, names, actions } = rematerialisationProgramme(problem, budgetBytes);
  const answer = await solve({ text, names, seconds }, signal);
  if (answer.verdict === "infeasible") {
    const most = problem.nodes.map(({ bytes, inputs }) =>
      inputs.reduce((sum, i) => sum + problem.nodes[i].bytes, bytes),
    );
    const largest = most.indexOf(Math.max(...most));
    throw new Error(
      `rematerialisation: the budget must hold a plan, got ${budgetBytes} B ` +
        `(node ${largest} with what it reads takes ${most[largest]} B); raise the budget`,
    );
  }
  const { verdict, relaxedBound, bound, values } = answer;
  if (values === null) return { verdict: "stopped", plan: null, bound, relaxedBound };
  const steps = actions(new Map(names.map((name, index) => [name, values[index]])));
  const cost = simulateRematerialisation(problem, steps);
  if (cost.peakBytes > budgetBytes) {
    throw new Error(`internal: the solver's plan takes ${cost.peakBytes} of ${budgetBytes} B`);
  }
  return { verdict, plan: { ...cost, actions: steps }, bound, relaxedBound };
}

function solve(question: SolverQuestion, signal: AbortSignal | undefined): Promise<SolverAnswer> {
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const worker: Worker = new Worker(new URL("./exact-thread.js", import.meta.url), {
      workerData: question,
      name: "tessera solver",
      execArgv: [],
    });
    const abort = (): void => {
      void worker.terminate();
      reject(new Error("rematerialisation: the search was ended before it had a result; give it more time"));
    };
    signal?.addEventListener("abort", abort, { once: true });
    worker.once("message", (answer: SolverAnswer) => {
      signal?.removeEventListener("abort", abort);
      resolve(answer);
    });
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`internal: the solver's thread ended with code ${code}`)));
  });
}

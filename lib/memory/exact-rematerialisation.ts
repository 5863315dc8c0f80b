import type { MessagePort, Worker, WorkerOptions } from "node:worker_threads";
import {
  type Programme,
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
  /** Where the answer goes and what is woken then, if whoever asks stands still meanwhile. */
  readonly reply?: { readonly port: MessagePort; readonly done: Int32Array<SharedArrayBuffer> };
}

/** What it answers: values in the order of the names, or null if no solution was found. */
export type SolverAnswer =
  | { readonly verdict: "infeasible" }
  | { readonly verdict: "failed"; readonly message: string }
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
  const { text, names, actions } = programmeWithin(problem, budgetBytes, seconds);
  const result = readAnswer(problem, budgetBytes, await solve({ text, names, seconds }, signal), { names, actions });
  if (result === null) {
    const most = problem.nodes.map(({ bytes, inputs }) =>
      inputs.reduce((sum, i) => sum + problem.nodes[i].bytes, bytes),
    );
    const largest = most.indexOf(Math.max(...most));
    throw new Error(
      `rematerialisation: the budget must hold a plan, got ${budgetBytes} B ` +
        `(node ${largest} with what it reads takes ${most[largest]} B); raise the budget`,
    );
  }
  return result;
}

/**
 * The same while whoever asks stands still, for callers that cannot wait otherwise; null if no plan keeps the budget.
 *
 * @param seconds after which the best solution until then is taken
 */
export function solveRematerialisation(
  problem: RematerialisationProblem,
  budgetBytes: number,
  seconds: number,
): ExactRematerialisation | null {
  const { text, names, actions } = programmeWithin(problem, budgetBytes, seconds);
  return readAnswer(problem, budgetBytes, solveStandingStill({ text, names, seconds }), { names, actions });
}

function programmeWithin(problem: RematerialisationProblem, budgetBytes: number, seconds: number): Programme {
  if (!(seconds > 0)) throw new Error(`rematerialisation: seconds must be above 0, got ${seconds}; try 60`);
  return rematerialisationProgramme(problem, budgetBytes);
}

/** What an answer means, recounted; null if no plan keeps the budget. */
function readAnswer(
  problem: RematerialisationProblem,
  budgetBytes: number,
  answer: SolverAnswer,
  { names, actions }: Pick<Programme, "names" | "actions">,
): ExactRematerialisation | null {
  if (answer.verdict === "infeasible") return null;
  if (answer.verdict === "failed") throw new Error(`internal: the solver failed: ${answer.message}`);
  const { verdict, relaxedBound, bound, values } = answer;
  if (values === null) return { verdict: "stopped", plan: null, bound, relaxedBound };
  const steps = actions(new Map(names.map((name, index) => [name, values[index]])));
  const cost = simulateRematerialisation(problem, steps);
  if (cost.peakBytes > budgetBytes) {
    throw new Error(`internal: the solver's plan takes ${cost.peakBytes} of ${budgetBytes} B`);
  }
  return { verdict, plan: { ...cost, actions: steps }, bound, relaxedBound };
}

/** How long the thread may take to begin and to end, beside what it has for solving. */
const spareSeconds = 30;
/** How often whoever stands still looks up, so that an interruption from outside is seen. */
const napMilliseconds = 50;

function solveStandingStill(question: SolverQuestion): SolverAnswer {
  const { MessageChannel, receiveMessageOnPort } = process.getBuiltinModule("node:worker_threads");
  const { port1, port2 } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const worker = startSolver({ ...question, reply: { port: port2, done } }, [port2]);
  const end = performance.now() + 1000 * (question.seconds + spareSeconds);
  try {
    while (Atomics.load(done, 0) === 0) {
      if (performance.now() > end) throw new Error("internal: the solver's thread gave no answer in its time");
      Atomics.wait(done, 0, 0, napMilliseconds);
    }
    return receiveMessageOnPort(port1)?.message as SolverAnswer;
  } finally {
    port1.close();
    void worker.terminate();
  }
}

function startSolver(question: SolverQuestion, transferList: WorkerOptions["transferList"] = []): Worker {
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  return new Worker(new URL("./exact-thread.js", import.meta.url), {
    workerData: question,
    transferList,
    name: "tessera solver",
    execArgv: [],
  });
}

function solve(question: SolverQuestion, signal: AbortSignal | undefined): Promise<SolverAnswer> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const worker = startSolver(question);
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

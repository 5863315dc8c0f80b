// The main module of the thread in which an integer programme is solved: the solver does not come up for air.
import { parentPort, workerData } from "node:worker_threads";
import loadHighs from "highs";
import type { SolverAnswer, SolverQuestion } from "./exact-rematerialisation.ts";

if (parentPort === null) throw new Error("internal: the solver's thread must be started by exactRematerialisation");
const { text, names, seconds, reply } = workerData as SolverQuestion;
/** HiGHS's mark of a solution that satisfies all rows (`kSolutionStatusFeasible`). */
const feasiblePoint = 2;
// The types are those of the package's CommonJS twin; the module that is imported here exports the function itself.
const highs = await (loadHighs as unknown as typeof loadHighs.default)();

if (reply === undefined) parentPort.postMessage(solve());
else {
  // Nobody would hear of an error: whoever asked stands still.
  let answer: SolverAnswer;
  try {
    answer = solve();
  } catch (error) {
    answer = { verdict: "failed", message: error instanceof Error ? error.message : String(error) };
  }
  reply.port.postMessage(answer);
  Atomics.store(reply.done, 0, 1);
  Atomics.notify(reply.done, 0);
}

function solve(): SolverAnswer {
  const { modelStatus } = highs.constants;
  return highs.withModel({ format: "lp", data: text }, (model): SolverAnswer => {
    // The linear programme first: its optimum is a bound whatever comes of the other.
    model.options.set({ output_flag: false, time_limit: seconds, solve_relaxation: true });
    model.run();
    const relaxed = model.getModelStatus();
    if (relaxed === modelStatus.infeasible) return { verdict: "infeasible" };
    const relaxedBound = relaxed === modelStatus.optimal ? model.getObjectiveValue() : 0;
    // The time limit is of both runs together.
    model.options.set({ solve_relaxation: false });
    model.run();
    const status = model.getModelStatus();
    if (status === modelStatus.infeasible) return { verdict: "infeasible" };
    const proved = Number(model.info.get("mip_dual_bound"));
    const bound = Number.isFinite(proved) ? Math.max(proved, relaxedBound) : relaxedBound;
    const found = Number(model.info.get("primal_solution_status")) === feasiblePoint;
    const { colValue } = model.getSolution();
    return {
      verdict: status === modelStatus.optimal ? "optimal" : "stopped",
      relaxedBound,
      bound,
      values: found ? names.map((name) => colValue[model.getColByName(name)]) : null,
    };
  });
}

import {
  type MemoryOption,
  microBatchesFor,
  microBatchesOf,
  planSchedule,
  type Schedule,
  strategiesOf,
} from "../compiler/index.ts";
import { type Engine, referenceEngine, usualThreads, wasmEngine } from "../engine/index.ts";
import { crossEntropy, type Loss, type Model, type Optimizer, sgd } from "../nn/index.ts";
import type { FloatDtype } from "../tensor/index.ts";
import { Executions } from "./executions.ts";
import { inferenceGraph, trainingGraph } from "./graphs.ts";
import { chooseLossScaling, type LossScaling } from "./loss-scaling.ts";
import { Program } from "./program.ts";
import { targetOf } from "./target.ts";
import { firstWeights } from "./weights.ts";

/** How a model is to be trained and on what it is to run. */
export interface CompileOptions {
  /** What is made small; cross-entropy unless told otherwise. */
  readonly loss?: Loss;
  /** How weights change; SGD at rate 0.1 unless told otherwise. */
  readonly optimizer?: Optimizer;
  /** Samples per step; 64 unless told otherwise. */
  readonly batch?: number;
  /** `wasm` unless told otherwise; `reference` for the plain one, or an engine of one's own making. */
  readonly engine?: "wasm" | "reference" | Engine;
  /**
   * Threads of the wasm engine; as many as there are cores, up to four, unless told otherwise here or by the environment
   * variable TESSERA_THREADS. Results are the same to the bit; each thread adds some scratch memory of its own.
   */
  readonly threads?: number;
  /**
   * How the wasm engine tiles products: `standard` unless told otherwise; `timed` takes up to 50 ms more to try which way
   * is quickest here. Results are the same to the bit.
   */
  readonly tiles?: "standard" | "timed";
  /** float32 unless told otherwise; float64 is for the reference engine alone. */
  readonly dtype?: FloatDtype;
  /** How a training step is fitted into memory: the name of a strategy, or several in turn; `reuse` unless told. */
  readonly memory?: MemoryOption;
  /**
   * Whether gradients are computed of a scaled loss, so that small ones do not vanish in narrow numbers; the scale halves
   * where a gradient overflows, and that step is undone. Not unless told otherwise; `true` for the usual settings.
   */
  readonly lossScaling?: boolean | LossScaling;
}

/**
 * Compiles a model's training step: builds the graph with its gradients, orders it, plans every byte.
 *
 * @throws Error if loss and model do not fit, or an option is unknown
 */
export function compile(model: Model, options: CompileOptions = {}): Program {
  const known = ["loss", "optimizer", "batch", "engine", "threads", "tiles", "dtype", "memory", "lossScaling"];
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new Error(`compile: options must be known, got ${name}; there are ${known.join(", ")}`);
  }
  const { loss = crossEntropy(), optimizer = sgd({ rate: 0.1 }), batch = 64, dtype = "float32" } = options;
  if (!Number.isInteger(batch) || batch < 1) {
    throw new Error(`compile: batch must be a whole number ≥ 1, got ${batch}; give { batch: 64 }`);
  }
  if (dtype !== "float32" && dtype !== "float64") {
    throw new Error(
      `compile: dtype must be float32 or float64, got ${String(dtype)}; weights are kept in one of them, and layers may round to shorter ones`,
    );
  }
  const engine = chooseEngine(options);
  const lossScaling = chooseLossScaling(options.lossScaling ?? false);
  // A model that does not fit its loss should say so now, not when it is fitted.
  loss.target(batch, model.output);
  const strategies = strategiesOf(options.memory ?? "reuse");
  const microBatches = microBatchesOf(strategies);
  if (batch % microBatches !== 0) {
    throw new Error(
      `compile: the batch must be a multiple of the micro-batches, got ${batch} and ${microBatches}; choose another of them`,
    );
  }
  const schedule = (purpose: string, size: number): Schedule => {
    if (purpose !== "training") {
      const answers = strategies.filter(({ forAnswers }) => forAnswers);
      return planSchedule(inferenceGraph(model, { batch: size, loss, dtype }), answers, targetOf(engine));
    }
    const pieces = microBatches === 1 ? 1 : microBatchesFor(size, batch / microBatches);
    const settings = { batch: size / pieces, loss, dtype, lossScaling: lossScaling !== null };
    return planSchedule(trainingGraph(model, optimizer, settings), strategies, targetOf(engine), pieces);
  };
  const executions = new Executions(engine, schedule, () => firstWeights(model, optimizer, model.seed));
  // Programs are compiled when they are first needed, but whether a plan fits its budget should be said now.
  if (options.memory !== undefined) executions.compiled("training", batch);
  return new Program({ model, loss, optimizer, batch, dtype, executions, lossScaling });
}

function chooseEngine({ engine = "wasm", threads, tiles }: CompileOptions): Engine {
  if (typeof engine === "object") return engine;
  if (engine === "reference") return referenceEngine();
  if (engine === "wasm") return wasmEngine({ threads: threads ?? usualThreads(), tiles });
  throw new Error(
    `compile: the engine must be wasm, reference or an Engine, got ${String(engine)}; choose one of them`,
  );
}

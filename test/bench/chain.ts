import {
  type Chain,
  exactRematerialisation,
  optimalChainPlan,
  type RematerialisationNode,
  revolveForwardSteps,
} from "../../lib/memory/index.ts";
import { type Measured, medianSeconds } from "./benchmark.ts";

/** n layers and a loss, everything of cost and size 1. */
function unitChain(layers: number): Chain {
  const layer = { forwardCost: 1, backwardCost: 1, activationBytes: 1, gradientBytes: 1 };
  return { layers: [...Array(layers).fill(layer), { ...layer, gradientBytes: 0 }], inputGradientBytes: 1 };
}

// Optimal checkpointing of unit chains: layers and budget as published, and 200 layers.
const cases = [
  [10, 3],
  [10, 4],
  [10, 7],
  [20, 5],
  [20, 8],
  [20, 13],
  [200, 20],
  [200, 200],
] as const;

/** The same chain as a graph of single results, for the integer programme: the network's input is free. */
function unitNodes(layers: number): RematerialisationNode[] {
  const nodes: RematerialisationNode[] = [];
  for (let layer = 1; layer <= layers; layer++) {
    nodes.push({ cost: 1, bytes: 1, inputs: layer > 1 ? [layer - 2] : [] });
  }
  for (let layer = layers + 1; layer >= 1; layer--) {
    const gradient = layer <= layers ? [nodes.length - 1] : [];
    nodes.push({ cost: 1, bytes: 1, inputs: layer > 1 ? [layer - 2, ...gradient] : gradient });
  }
  return nodes;
}

// By integer programme: layers, budget and seconds. The last one is known not to be proved in five minutes.
const programmes = [
  [10, 7, 60],
  [10, 4, 60],
  [10, 3, 60],
  [20, 5, 20],
] as const;

// Length and checkpoints of Revolve's published figures.
const revolves = [
  [10, 3],
  [100, 10],
  [100, 5],
  [1000, 50],
] as const;

export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  for (const [length, checkpoints] of revolves) {
    figures[`revolve${length}By${checkpoints}ForwardSteps`] = revolveForwardSteps(length, checkpoints);
  }
  for (const [layers, budget] of cases) {
    const chain = unitChain(layers);
    const name = `layers${layers}Budget${budget}`;
    figures[`${name}Cost`] = optimalChainPlan(chain, budget).cost;
    figures[`${name}PlanSeconds`] = await medianSeconds(() => optimalChainPlan(chain, budget), {
      warmUpSeconds: 0.2,
      seconds: 0.5,
    });
  }
  for (const [layers, budget, seconds] of programmes) {
    const name = `programme${layers}Budget${budget}`;
    const before = performance.now();
    const { verdict, plan, bound, relaxedBound } = await exactRematerialisation({ nodes: unitNodes(layers) }, budget, {
      seconds,
    });
    figures[`${name}SolveSeconds`] = (performance.now() - before) / 1000;
    figures[`${name}Proved`] = verdict === "optimal" ? 1 : 0;
    if (plan !== null) figures[`${name}Cost`] = plan.cost;
    figures[`${name}Bound`] = bound;
    figures[`${name}RelaxedBound`] = relaxedBound;
  }
  return { figures, peers: {} };
}

import { type Chain, optimalChainPlan } from "../../lib/memory/index.ts";
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

export async function measure(): Promise<Measured> {
  const figures: Record<string, number> = {};
  for (const [layers, budget] of cases) {
    const chain = unitChain(layers);
    const name = `layers${layers}Budget${budget}`;
    figures[`${name}Cost`] = optimalChainPlan(chain, budget).cost;
    figures[`${name}PlanSeconds`] = await medianSeconds(() => optimalChainPlan(chain, budget), {
      warmUpSeconds: 0.2,
      seconds: 0.5,
    });
  }
  return { figures, peers: {} };
}

import * as assert from "uvu/assert";
import {
  type Chain,
  type ChainAction,
  optimalChainPlan,
  revolveForwardSteps,
  segmentedChainPlan,
  simulateChain,
} from "../../../lib/memory/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";

const test = suite("checkpointing of chains");

/** n layers and a loss, everything of cost and size 1. */
function unitChain(layers: number): Chain {
  const layer = { forwardCost: 1, backwardCost: 1, activationBytes: 1, gradientBytes: 1 };
  return { layers: [...Array(layers).fill(layer), { ...layer, gradientBytes: 0 }], inputGradientBytes: 1 };
}

function randomChain(seed: number, count: number): Chain {
  const source = random(seed);
  const layers = Array.from({ length: count }, () => ({
    forwardCost: integer(source, 1, 5),
    backwardCost: integer(source, 1, 5),
    activationBytes: integer(source, 1, 4),
    gradientBytes: integer(source, 0, 3),
  }));
  return { layers, inputGradientBytes: integer(source, 0, 2) };
}

/** The least cost under a budget by looking at every set of live values there is (Dijkstra); infinite if none. */
function leastCost({ layers, inputGradientBytes }: Chain, budget: number): number {
  const count = layers.length;
  const gradient = (index: number): number => (index === 0 ? inputGradientBytes : layers[index - 1].gradientBytes);
  // A state: which of activations 1 … count − 1 are there, and how many gradients are still to be made.
  const costs = new Map<string, { live: number; left: number; cost: number; done: boolean }>();
  const visit = (live: number, left: number, cost: number): void => {
    const key = `${live}:${left}`;
    if ((costs.get(key)?.cost ?? Number.POSITIVE_INFINITY) > cost) costs.set(key, { live, left, cost, done: false });
  };
  visit(0, count, 0);
  for (;;) {
    const open = [...costs.values()].filter(({ done }) => !done);
    if (open.length === 0) return Number.POSITIVE_INFINITY;
    const state = open.reduce((best, next) => (next.cost < best.cost ? next : best));
    if (state.left === 0) return state.cost;
    state.done = true;
    const { live, left, cost } = state;
    let bytes = gradient(left);
    for (let layer = 1; layer < count; layer++) if ((live >> layer) & 1) bytes += layers[layer - 1].activationBytes;
    const has = (layer: number): boolean => layer === 0 || ((live >> layer) & 1) === 1;
    for (let layer = 1; layer < count; layer++) {
      const { activationBytes, forwardCost } = layers[layer - 1];
      if (has(layer)) visit(live & ~(1 << layer), left, cost);
      else if (has(layer - 1) && bytes + activationBytes <= budget)
        visit(live | (1 << layer), left, cost + forwardCost);
    }
    if (has(left - 1) && bytes + gradient(left - 1) <= budget)
      visit(live, left - 1, cost + layers[left - 1].backwardCost);
  }
}

test("a unit chain costs what an integer programme proves", () => {
  for (const [layers, budget, cost] of [
    [10, 3, 57],
    [10, 4, 32],
    [10, 7, 25],
    [20, 5, 67],
    [20, 8, 54],
    [20, 13, 49],
  ]) {
    const plan = optimalChainPlan(unitChain(layers), budget);
    assert.is(plan.cost, cost, `${layers} layers in ${budget}`);
    assert.ok(plan.peakBytes <= budget);
    assert.equal(simulateChain(unitChain(layers), plan.actions).cost, cost);
  }
});

test("equal steps take the forward steps of Revolve, by table and by formula", () => {
  for (const [length, checkpoints, steps] of [
    [10, 3, 15],
    [100, 10, 222],
    [100, 5, 316],
    [1000, 50, 1948],
  ]) {
    assert.is(revolveForwardSteps(length, checkpoints), steps);
    if (length > 100) continue;
    const layer = { forwardCost: 1, backwardCost: 0, activationBytes: 1, gradientBytes: 0 };
    const chain: Chain = { layers: Array(length).fill(layer), inputGradientBytes: 0, overwrites: true };
    // One of the checkpoints is the input, which a chain does not count; the state that advances it does.
    assert.is(optimalChainPlan(chain, checkpoints).cost, steps);
  }
});

test("unequal chains are never cheaper than exhaustive search allows, and as cheap where activations stay to their use", () => {
  let equal = 0;
  let tested = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const chain = randomChain(seed, integer(random(seed, 1), 1, 6));
    for (let budget = 2; budget <= 20; budget += 3) {
      const least = leastCost(chain, budget);
      if (least === Number.POSITIVE_INFINITY) {
        assert.throws(() => optimalChainPlan(chain, budget), /^chain: the budget must hold/, `seed ${seed}`);
        continue;
      }
      const { cost, actions, peakBytes } = optimalChainPlan(chain, budget);
      assert.equal(simulateChain(chain, actions), { actions, cost, peakBytes }, `seed ${seed}`);
      assert.ok(peakBytes <= budget && cost >= least, `seed ${seed}, budget ${budget}: ${cost}, ${least}`);
      tested++;
      if (cost === least) equal++;
    }
  }
  assert.ok(tested > 100 && equal >= 0.95 * tested, `${equal} of ${tested} equal`);
});

/** The least cost where an activation stays until its backward, as the recursion is written down, for whole bytes. */
function persistentCost({ layers, inputGradientBytes }: Chain, budget: number): number {
  const activation = (index: number): number => (index === 0 ? 0 : layers[index - 1].activationBytes);
  const gradient = (index: number): number => (index === 0 ? inputGradientBytes : layers[index - 1].gradientBytes);
  const known = new Map<string, number>();
  const cost = (from: number, to: number, bytes: number): number => {
    const key = `${from} ${to} ${bytes}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    let least = Number.POSITIVE_INFINITY;
    if (to === from + 1) {
      if (gradient(to) + gradient(from) <= bytes) least = layers[from].backwardCost;
    } else {
      let advance = 0;
      let need = 0;
      for (let kept = from + 1; kept < to; kept++) {
        advance += layers[kept - 1].forwardCost;
        need = Math.max(need, gradient(to) + (kept - 1 > from ? activation(kept - 1) : 0) + activation(kept));
        if (need > bytes) break;
        least = Math.min(least, advance + cost(kept, to, bytes - activation(kept)) + cost(from, kept, bytes));
      }
    }
    known.set(key, least);
    return least;
  };
  return cost(0, layers.length, budget);
}

test("long chains, of layers that differ or come again, cost what the plain recursion says", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const different = randomChain(seed, 24);
    const block = different.layers.slice(0, 1 + (seed % 4));
    const repeated: Chain = {
      ...different,
      layers: Array.from({ length: 24 }, (_, layer) => block[layer % block.length]),
    };
    for (const chain of [different, repeated]) {
      for (const budget of [9, 14, 25, 40, 70]) {
        const least = persistentCost(chain, budget);
        if (least === Number.POSITIVE_INFINITY) {
          assert.throws(
            () => optimalChainPlan(chain, budget),
            /^chain: the budget must hold/,
            `seed ${seed}, ${budget}`,
          );
        } else assert.is(optimalChainPlan(chain, budget).cost, least, `seed ${seed}, budget ${budget}`);
      }
    }
  }
});

test("segments of √n keep O(√n) for one more forward", () => {
  for (const count of [1, 2, 3, 9, 10, 99]) {
    const chain = unitChain(count);
    const { cost, peakBytes } = segmentedChainPlan(chain);
    assert.ok(cost <= 3 * count + 1, `${count}: ${cost}`);
    assert.ok(peakBytes <= 2 * Math.ceil(Math.sqrt(count + 1)) + 1, `${count}: ${peakBytes}`);
    assert.ok(optimalChainPlan(chain, peakBytes).cost <= cost);
  }
});

test("a budget that is too small is refused with the smallest that is enough, also where sizes have no common unit", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const small = randomChain(seed, 8);
    const odd = small.layers.map((layer, index) => ({
      ...layer,
      activationBytes: 1_000_003 * layer.activationBytes + 17 * index,
    }));
    const chain = seed % 2 === 0 ? small : { ...small, layers: odd };
    let message = "";
    try {
      optimalChainPlan(chain, 1);
    } catch (error) {
      message = (error as Error).message;
    }
    const smallest = Number(/at least (\d+) B/.exec(message)?.[1]);
    assert.ok(optimalChainPlan(chain, smallest).peakBytes <= smallest, `seed ${seed}: ${message}`);
    assert.throws(() => optimalChainPlan(chain, smallest - 1), `at least ${smallest} B`);
  }
});

test("large sizes are counted in coarser units and still keep to the budget", () => {
  const source = random(3);
  const layers = Array.from({ length: 40 }, () => ({
    forwardCost: integer(source, 1, 9),
    backwardCost: 1,
    activationBytes: integer(source, 1_000_000, 9_000_000),
    gradientBytes: 1_000_003,
  }));
  const chain: Chain = { layers, inputGradientBytes: 7 };
  const plan = optimalChainPlan(chain, 60_000_000);
  assert.ok(plan.unitBytes > 1 && plan.peakBytes <= 60_000_000);
  const everything = optimalChainPlan(chain, 1e12);
  assert.ok(everything.actions.every(({ kind }) => kind !== "recompute"));
  // 1 of 500 units of a chain of one step whose sizes are no multiples of it.
  const loss: Chain = { layers: [{ ...layers[0], gradientBytes: 9_999_991 }], inputGradientBytes: 1_000_003 };
  assert.is(optimalChainPlan(loss, 10_999_994).peakBytes, 10_999_994);
});

test("the simulator refuses what reads absent values", () => {
  const chain = unitChain(2);
  const backward: ChainAction = { kind: "backward", layer: 3 };
  assert.throws(() => simulateChain(chain, [backward]), "must find its layer's input, got backward 3 (action 0)");
  assert.throws(() => simulateChain(chain, [{ kind: "forward", layer: 2, overwrite: false }]), "must find its input");
  assert.throws(() => simulateChain(chain, [{ kind: "backward", layer: 1 }]), "must find the gradient above it");
  assert.throws(() => simulateChain(chain, [{ kind: "free", layer: 1, value: "activation" }]), "must be there");
  assert.throws(() => simulateChain(chain, []), "the input's gradient must be made");
});

test.run();

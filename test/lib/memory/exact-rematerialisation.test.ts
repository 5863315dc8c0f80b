import * as assert from "uvu/assert";
import {
  exactRematerialisation,
  optimalChainPlan,
  type RematerialisationNode,
  type RematerialisationProblem,
  simulateRematerialisation,
} from "../../../lib/memory/index.ts";
import { random } from "../../../lib/tensor/index.ts";
import { integer } from "../../support/operator-samples.ts";
import { suite } from "../../support/suite.ts";

const test = suite("rematerialisation by integer programme");

/** n layers and a loss as a graph, everything of cost and size 1; the network's input is free. */
function unitChain(layers: number): RematerialisationProblem {
  const nodes: RematerialisationNode[] = [];
  for (let layer = 1; layer <= layers; layer++) {
    nodes.push({ cost: 1, bytes: 1, inputs: layer > 1 ? [layer - 2] : [] });
  }
  for (let layer = layers + 1; layer >= 1; layer--) {
    const gradient = layer <= layers ? [nodes.length - 1] : [];
    const input = layer > 1 ? [layer - 2] : [];
    nodes.push({ cost: 1, bytes: 1, inputs: [...input, ...gradient] });
  }
  return { nodes };
}

function randomProblem(seed: number, count: number): RematerialisationProblem {
  const source = random(seed);
  const nodes = Array.from({ length: count }, (_, node) => ({
    cost: integer(source, 1, 5),
    bytes: integer(source, 1, 4),
    inputs: Array.from({ length: node }, (_, input) => input).filter(() => integer(source, 0, 2) === 0),
  }));
  return { nodes };
}

/**
 * The least cost of plans that compute nodes for the first time in their order, by looking at every set of live results
 * (Dijkstra); infinite if there is none.
 */
function leastCost({ nodes }: RematerialisationProblem, budget: number): number {
  const all = 2 ** nodes.length;
  const costs = new Map<number, number>([[0, 0]]);
  const open = new Map<number, number>([[0, 0]]);
  while (open.size > 0) {
    const [state, cost] = [...open].reduce((best, next) => (next[1] < best[1] ? next : best));
    open.delete(state);
    const live = state % all;
    const done = Math.floor(state / all);
    if (done === nodes.length) return cost;
    const visit = (nextLive: number, nextDone: number, nextCost: number): void => {
      const next = nextDone * all + nextLive;
      if ((costs.get(next) ?? Number.POSITIVE_INFINITY) <= nextCost) return;
      costs.set(next, nextCost);
      open.set(next, nextCost);
    };
    let bytes = 0;
    for (const [node, known] of nodes.entries()) if ((live >> node) & 1) bytes += known.bytes;
    for (const [node, { inputs, ...known }] of nodes.entries()) {
      if ((live >> node) & 1) visit(live & ~(1 << node), done, cost);
      else if (node <= done && bytes + known.bytes <= budget && inputs.every((input) => (live >> input) & 1)) {
        visit(live | (1 << node), Math.max(done, node + 1), cost + known.cost);
      }
    }
  }
  return Number.POSITIVE_INFINITY;
}

test("a short unit chain costs what the dynamic programme says, proved", async () => {
  for (const budget of [3, 4, 5]) {
    const { verdict, plan, bound, relaxedBound } = await exactRematerialisation(unitChain(5), budget);
    const layer = { forwardCost: 1, backwardCost: 1, activationBytes: 1, gradientBytes: 1 };
    const chain = { layers: [...Array(5).fill(layer), { ...layer, gradientBytes: 0 }], inputGradientBytes: 1 };
    assert.is(verdict, "optimal");
    assert.is(plan?.cost, optimalChainPlan(chain, budget).cost, `in ${budget}`);
    assert.ok(Math.abs(bound - (plan?.cost as number)) < 1e-6 && relaxedBound <= bound + 1e-6);
  }
});

test("small random graphs cost what looking at every state gives, or have no plan in both ways", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const problem = randomProblem(seed, integer(random(seed, 1), 3, 7));
    const everything = problem.nodes.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const budget of [Math.ceil(everything / 2), Math.ceil((3 * everything) / 4)]) {
      const least = leastCost(problem, budget);
      if (Number.isFinite(least)) {
        const { verdict, plan } = await exactRematerialisation(problem, budget);
        assert.is(verdict, "optimal");
        assert.is(plan?.cost, least, `seed ${seed}, budget ${budget}`);
        assert.equal(simulateRematerialisation(problem, plan?.actions ?? []).cost, least);
      } else {
        const failure = await exactRematerialisation(problem, budget).then(
          () => "a plan",
          (error: Error) => error.message,
        );
        assert.match(failure, /the budget must hold a plan/, `seed ${seed}, budget ${budget}`);
      }
    }
  }
});

test("where time runs out the result says so, with a bound, and is never called optimal", async () => {
  const { verdict, plan, bound, relaxedBound } = await exactRematerialisation(unitChain(20), 5, { seconds: 0.5 });
  assert.is(verdict, "stopped");
  // 67 is the optimum.
  assert.ok(bound <= 67 && relaxedBound <= 67 && (plan === null || plan.cost >= 67));
});

test("a search can be ended from outside", async () => {
  const ended = exactRematerialisation(unitChain(20), 5, { signal: AbortSignal.timeout(300) }).then(
    () => "a result",
    (error: Error) => error.message,
  );
  assert.match(await ended, /the search was ended/);
});

test("a plan that reads what is not there, or leaves a node out, is refused", () => {
  const problem = unitChain(1);
  assert.throws(() => simulateRematerialisation(problem, [{ kind: "compute", node: 1 }]), /must find what it reads/);
  assert.throws(
    () => simulateRematerialisation(problem, [{ kind: "compute", node: 0 }]),
    /every node must be computed/,
  );
});

test.run();

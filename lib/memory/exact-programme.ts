/** Something to be computed. */
export interface RematerialisationNode {
  /** In any one unit, such as FLOPs. */
  readonly cost: number;
  /** Bytes of the result. */
  readonly bytes: number;
  /** Positions of the nodes that it reads, all before its own. */
  readonly inputs: readonly number[];
}

/** A small graph of which every node is to be computed at least once: for the first time in the order given. */
export interface RematerialisationProblem {
  readonly nodes: readonly RematerialisationNode[];
}

/** One thing to do: to compute a node, for the first time or again, or to let its result go. */
export interface RematerialisationAction {
  readonly kind: "compute" | "free";
  readonly node: number;
}

/** What actions cost, and the most bytes that they take at once. */
export interface RematerialisationCost {
  readonly cost: number;
  readonly peakBytes: number;
}

/**
 * Carries actions out on paper and recounts their cost and peak; trusts nothing that a planner claims.
 *
 * @throws Error naming the action that reads what is not there, or the node that is never computed
 */
export function simulateRematerialisation(
  { nodes }: RematerialisationProblem,
  actions: readonly RematerialisationAction[],
): RematerialisationCost {
  const live = new Set<number>();
  const computed = new Set<number>();
  let bytes = 0;
  let peakBytes = 0;
  let cost = 0;
  for (const [position, { kind, node }] of actions.entries()) {
    const refuse = (rule: string): never => {
      throw new Error(`rematerialisation: ${rule}, got ${kind} ${node} (action ${position}); reorder the actions`);
    };
    const known = nodes[node] ?? refuse(`a node must be one of 0 to ${nodes.length - 1}`);
    if (kind === "compute") {
      if (live.has(node)) refuse("a result must be made where it is not");
      if (!known.inputs.every((input) => live.has(input))) refuse("a node must find what it reads");
      live.add(node);
      computed.add(node);
      bytes += known.bytes;
      cost += known.cost;
      peakBytes = Math.max(peakBytes, bytes);
    } else {
      if (!live.delete(node)) refuse("a freed result must be there");
      bytes -= known.bytes;
    }
  }
  const missing = nodes.findIndex((_, node) => !computed.has(node));
  if (missing >= 0) throw new Error(`rematerialisation: every node must be computed, got none of ${missing}; add it`);
  return { cost, peakBytes };
}

/** An integer programme as text, and the way back from its solution. */
export interface Programme {
  /** In the LP format of CPLEX, which solvers read. */
  readonly text: string;
  /** Names of the variables that say what is done. */
  readonly names: readonly string[];
  /** What a solution does, from the values of the variables by name. */
  actions(values: ReadonlyMap<string, number>): readonly RematerialisationAction[];
}

/**
 * The integer programme of which the optimum is the cheapest way to compute all nodes within a budget: in stage t node
 * t is computed for the first time, and before it, once and in order, whatever is wanted again (Jain et al., "Checkmate: breaking the memory
 * wall with optimal tensor rematerialization", 2020). Variables: `r` what a stage computes, `s` what is there when it
 * begins, `f` what goes as soon as a node of the stage has been computed.
 */
export function rematerialisationProgramme({ nodes }: RematerialisationProblem, budgetBytes: number): Programme {
  const users = nodes.map((): number[] => []);
  for (const [node, { inputs }] of nodes.entries()) {
    for (const input of inputs) {
      if (!(input >= 0 && input < node)) {
        throw new Error(`rematerialisation: nodes must read earlier ones, got ${input} for ${node}; reorder them`);
      }
      users[input].push(node);
    }
  }
  const made = (stage: number, node: number): string => `r${stage}_${node}`;
  const there = (stage: number, node: number): string => `s${stage}_${node}`;
  const rows: string[] = [];
  const bounds: string[] = [];
  const cost: string[] = [];
  const names: string[] = [];
  for (const stage of nodes.keys()) {
    bounds.push(`${made(stage, stage)} = 1`);
    const taken: string[] = [];
    for (let node = 0; node <= stage; node++) {
      cost.push(`${nodes[node].cost} ${made(stage, node)}`);
      names.push(made(stage, node));
      for (const input of nodes[node].inputs) {
        const kept = input < stage ? ` - ${there(stage, input)}` : "";
        rows.push(`${made(stage, node)} - ${made(stage, input)}${kept} <= 0`);
      }
      if (node === stage) continue;
      names.push(there(stage, node));
      const before = node < stage - 1 ? ` - ${there(stage - 1, node)}` : "";
      rows.push(`${there(stage, node)} - ${made(stage - 1, node)}${before} <= 0`);
      taken.push(`+ ${nodes[node].bytes} ${there(stage, node)}`);
    }
    for (let node = 0; node <= stage; node++) {
      taken.push(`+ ${nodes[node].bytes} ${made(stage, node)}`);
      rows.push(`${taken.join("\n  ")} <= ${budgetBytes}`);
      for (const gone of new Set([...nodes[node].inputs, node])) {
        const free = `f${stage}_${gone}_${node}`;
        bounds.push(`0 <= ${free} <= 1`);
        rows.push(`${free} - ${made(stage, node)} <= 0`);
        if (stage + 1 < nodes.length) rows.push(`${free} + ${there(stage + 1, gone)} <= 1`);
        for (const user of users[gone]) {
          if (user > node && user <= stage) rows.push(`${free} + ${made(stage, user)} <= 1`);
        }
        taken.push(`- ${nodes[gone].bytes} ${free}`);
      }
    }
  }
  const text = [
    `Minimize\n cost: ${cost.join("\n + ")}`,
    `Subject To\n${rows.map((row, index) => ` c${index}: ${row}`).join("\n")}`,
    `Bounds\n${bounds.map((bound) => ` ${bound}`).join("\n")}`,
    `Binary\n${names.map((name) => ` ${name}`).join("\n")}`,
    "End\n",
  ].join("\n");
  return {
    text,
    names,
    actions(values) {
      const is = (name: string): boolean => (values.get(name) ?? 0) > 0.5;
      const actions: RematerialisationAction[] = [];
      const live = new Set<number>();
      const free = (node: number): void => {
        if (live.delete(node)) actions.push({ kind: "free", node });
      };
      for (const stage of nodes.keys()) {
        const staying = (node: number): boolean => stage + 1 < nodes.length && is(there(stage + 1, node));
        for (let node = 0; node <= stage; node++) {
          if (!is(made(stage, node)) || live.has(node)) continue;
          live.add(node);
          actions.push({ kind: "compute", node });
          for (const gone of [...nodes[node].inputs, node]) {
            const wanted = users[gone].some((user) => user > node && user <= stage && is(made(stage, user)));
            if (!wanted && !staying(gone)) free(gone);
          }
        }
        for (const node of [...live]) if (!staying(node)) free(node);
      }
      return actions;
    },
  };
}

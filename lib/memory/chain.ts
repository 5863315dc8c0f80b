/** One layer of a chain. Costs are in any one unit, such as FLOPs. */
export interface ChainLayer {
  readonly forwardCost: number;
  readonly backwardCost: number;
  /** Bytes of the layer's output, which its successor's backward reads. */
  readonly activationBytes: number;
  /** Bytes of the gradient with respect to the layer's output, which its own backward reads. */
  readonly gradientBytes: number;
}

/**
 * Layers one after the other, trained: backward of a layer reads its input and the gradient of its output, and makes
 * the gradient of its input. The last layer is the loss: its forward belongs to its backward, so its forward cost and
 * activation are not asked for, and its gradient bytes are usually 0. The network's input is always there and is not
 * counted.
 */
export interface Chain {
  readonly layers: readonly ChainLayer[];
  /** Bytes of the gradient with respect to the network's input. */
  readonly inputGradientBytes: number;
  /** Whether a forward step may write over its input, as the time steps of Revolve do; no unless told. */
  readonly overwrites?: boolean;
}

/**
 * One thing to do. Layers count from 1; activation `n` is layer n's output and activation 0 the network's input.
 *
 * - `forward`, `recompute`: makes activation `layer` for the first time, or again; `overwrite` if its input goes
 * - `checkpoint`: activation `layer` stays until its backward
 * - `backward`: makes the gradient of layer's input
 * - `free`: an activation or the gradient of layer's output goes
 */
export type ChainAction =
  | { readonly kind: "forward"; readonly layer: number; readonly overwrite: boolean }
  | { readonly kind: "recompute"; readonly layer: number; readonly overwrite: boolean }
  | { readonly kind: "checkpoint"; readonly layer: number }
  | { readonly kind: "backward"; readonly layer: number }
  | { readonly kind: "free"; readonly layer: number; readonly value: "activation" | "gradient" };

/** A way through a chain, forward and backward. */
export interface ChainPlan {
  readonly actions: readonly ChainAction[];
  /** The most bytes alive at once. */
  readonly peakBytes: number;
  /** Cost of all forward and backward steps. */
  readonly cost: number;
}

/**
 * Carries a plan out on paper and recounts its peak and its cost; trusts nothing that the planner claims.
 *
 * @throws Error naming the action that reads what is not there, or the gradient that is missing at the end
 */
export function simulateChain(chain: Chain, actions: readonly ChainAction[]): ChainPlan {
  const { layers } = chain;
  const activations = new Set<number>([0]);
  const gradients = new Set<number>([layers.length]);
  const made = new Set<number>();
  const bytes = { live: layers[layers.length - 1]?.gradientBytes ?? 0, peak: 0 };
  const add = (change: number): void => {
    bytes.live += change;
    bytes.peak = Math.max(bytes.peak, bytes.live);
  };
  add(0);
  let cost = 0;
  const require = (holds: boolean, position: number, rule: string): void => {
    if (holds) return;
    const { kind, layer } = actions[position];
    throw new Error(`chain plan: ${rule}, got ${kind} ${layer} (action ${position}); reorder the actions`);
  };
  for (const [position, action] of actions.entries()) {
    const { layer } = action;
    const inside = Number.isInteger(layer) && layer >= 1 && layer <= layers.length;
    require(inside, position, `a layer must be one of 1 to ${layers.length}`);
    const { forwardCost, backwardCost, activationBytes, gradientBytes } = layers[layer - 1];
    if (action.kind === "forward" || action.kind === "recompute") {
      require(activations.has(layer - 1), position, "a forward step must find its input");
      require(layer < layers.length && !activations.has(layer), position, "an activation must be made where it is not");
      require(made.has(layer) ===
        (action.kind === "recompute"), position, "the first time must be forward, others recompute");
      made.add(layer);
      cost += forwardCost;
      activations.add(layer);
      if (action.overwrite) {
        require(chain.overwrites === true && layer > 1, position, "a step must not write over what it may not");
        activations.delete(layer - 1);
        const before = layers[layer - 2].activationBytes;
        add(Math.max(0, activationBytes - before));
        bytes.live -= Math.max(0, before - activationBytes);
      } else add(activationBytes);
    } else if (action.kind === "backward") {
      require(activations.has(layer - 1), position, "a backward step must find its layer's input");
      require(gradients.has(layer), position, "a backward step must find the gradient above it");
      gradients.add(layer - 1);
      cost += backwardCost;
      add(layer > 1 ? layers[layer - 2].gradientBytes : chain.inputGradientBytes);
    } else if (action.kind === "checkpoint") {
      require(activations.has(layer), position, "a checkpoint must be there");
    } else {
      const values = action.value === "activation" ? activations : gradients;
      require(values.delete(layer), position, `a freed ${action.value} must be there`);
      add(action.value === "activation" ? -activationBytes : -gradientBytes);
    }
  }
  if (!gradients.has(0))
    throw new Error("chain plan: the input's gradient must be made, got none; add the backward steps");
  return { actions, peakBytes: bytes.peak, cost };
}

/**
 * Bytes of a forward step to a layer on the way from a kept activation, which is counted elsewhere: what it reads and
 * what it makes.
 *
 * @param sizeOf bytes of an activation; those of the chain unless told, so that they may be counted in units
 */
export function stepBytes(
  { layers, overwrites }: Chain,
  from: number,
  layer: number,
  sizeOf = (activation: number): number => layers[activation - 1].activationBytes,
): number {
  const input = layer - 1 > from ? sizeOf(layer - 1) : 0;
  const output = sizeOf(layer);
  return overwrites ? Math.max(input, output) : input + output;
}

/** Collects actions and knows which activations have been made before. */
export class ChainRecorder {
  readonly actions: ChainAction[] = [];
  readonly #made = new Set<number>();
  readonly #overwrites: boolean;

  constructor({ overwrites = false }: Chain) {
    this.#overwrites = overwrites;
  }

  /** Goes forward from one activation to another; of those between, and of the first, only what is kept stays. */
  advance(from: number, to: number, keepBetween = false): void {
    for (let layer = from + 1; layer <= to; layer++) {
      const passing = layer - 1 > from && !keepBetween;
      const overwrite = passing && this.#overwrites;
      this.actions.push({ kind: this.#made.has(layer) ? "recompute" : "forward", layer, overwrite });
      this.#made.add(layer);
      if (passing && !overwrite) this.free(layer - 1, "activation");
    }
  }

  /**
   * The backward steps of a stretch from an activation that is there: forward to the one that is kept, then what is above
   * it, then what is below it.
   *
   * @param choose the activation to keep, and what is left of the memory at hand for what is above it
   */
  stretch<Memory>(
    from: number,
    to: number,
    memory: Memory,
    choose: (from: number, to: number, memory: Memory) => { readonly kept: number; readonly left: Memory },
  ): void {
    if (to === from + 1) {
      this.backward(to);
      return;
    }
    const { kept, left } = choose(from, to, memory);
    this.advance(from, kept);
    this.checkpoint(kept);
    this.stretch(kept, to, left, choose);
    this.free(kept, "activation");
    this.stretch(from, kept, memory, choose);
  }

  checkpoint(layer: number): void {
    this.actions.push({ kind: "checkpoint", layer });
  }

  /** Backward of a layer; the gradient above it is then no longer needed. */
  backward(layer: number): void {
    this.actions.push({ kind: "backward", layer });
    this.free(layer, "gradient");
  }

  free(layer: number, value: "activation" | "gradient"): void {
    this.actions.push({ kind: "free", layer, value });
  }
}

/** A recurrent network and a machine, as far as the account goes. */
export interface ResidentWeightsOptions {
  /** Units of a layer; 1,152 unless told, which fill the registers of the paper's machine. */
  readonly hidden?: number;
  /** Steps of time; 1,050 unless told. */
  readonly steps?: number;
  /** Vectors of the hidden width that a layer keeps for each step and sample; 4 unless told. */
  readonly keptVectors?: number;
  /** Copies of the weights that training holds: weights, gradients and momentum, 3, unless told. */
  readonly weightCopies?: number;
  /** The two batches that are compared; 64 and 4 unless told. */
  readonly batches?: readonly [large: number, small: number];
  /** Memory, its bandwidth and arithmetic of the machine; an NVIDIA Titan X (Maxwell) unless told. */
  readonly memoryBytes?: number;
  readonly bytesPerSecond?: number;
  readonly flopsPerSecond?: number;
}

/** One way to train the network. */
export interface ResidentWeightsRow {
  readonly batch: number;
  /** Whether the recurrent weights are read from memory at every step of time, or stay on the chip. */
  readonly weights: "in memory" | "on the chip";
  /** Activations of one layer, kept for the backward pass. */
  readonly activationBytesPerLayer: number;
  /** Layers whose weights and activations fit into the machine's memory. */
  readonly layersThatFit: number;
  /** Arithmetic that the recurrent products reach at most: a roofline. */
  readonly mostFlopsPerSecond: number;
}

/** Small batches with weights that stay on the chip, beside what is usual. */
export interface ResidentWeightsReport {
  readonly kind: "resident-weights";
  readonly title: string;
  readonly rows: readonly ResidentWeightsRow[];
}

/**
 * Why weights on the chip save memory (Diamos et al., "Persistent RNNs: stashing recurrent weights on-chip", 2016):
 * recurrent products read all weights at every step of time, so a batch must be large to be worth the reading; weights
 * that stay on the chip need no reading, the batch may fall from 64 to 4, and with it every activation, 16 times. Nothing is
 * computed again, but training with smaller batches is another algorithm, unless gradients are accumulated.
 *
 * Published are 16 times less activation memory, more than 100 layers on one GPU of 12 GB (108 in the workshop version)
 * and 2.8 TFLOP/s at batch 4, about 45 % of the machine's peak; 3,072 units at 1 GHz, two operations each, are 6.1.
 * Sequence length and vectors kept are not: those assumed here are such that 9 layers fit at batch 64, as Graphcore's
 * article says, and how many fit at batch 4 then follows. Vectors of 32-bit numbers, one direction.
 *
 * @throws Error naming a size that is none
 */
export function residentWeights(options: ResidentWeightsOptions = {}): ResidentWeightsReport {
  const {
    hidden = 1152,
    steps = 1050,
    keptVectors = 4,
    weightCopies = 3,
    batches = [64, 4],
    memoryBytes = 12e9,
    bytesPerSecond = 336e9,
    flopsPerSecond = 6.1e12,
  } = options;
  const sizes = { hidden, steps, keptVectors, weightCopies, memoryBytes, bytesPerSecond, flopsPerSecond };
  for (const [name, value] of [...Object.entries(sizes), ...batches.map((batch) => ["batches", batch] as const)]) {
    if (!(value > 0)) {
      throw new Error(`resident weights: ${name} must be above 0, got ${value}; leave it out or give a size`);
    }
  }
  // To the layer below, to itself, and a bias.
  const weightBytes = 4 * (2 * hidden * hidden + hidden);
  const row = (batch: number, weights: ResidentWeightsRow["weights"]): ResidentWeightsRow => {
    const activationBytesPerLayer = 4 * hidden * keptVectors * steps * batch;
    // Each weight that is read, 4 bytes, is multiplied and added once for each sample.
    const whenRead = (bytesPerSecond / 4) * 2 * batch;
    return {
      batch,
      weights,
      activationBytesPerLayer,
      layersThatFit: Math.floor(memoryBytes / (weightCopies * weightBytes + activationBytesPerLayer)),
      mostFlopsPerSecond: weights === "on the chip" ? flopsPerSecond : Math.min(flopsPerSecond, whenRead),
    };
  };
  const [large, small] = batches;
  return {
    kind: "resident-weights",
    title: `Recurrent layers of ${hidden.toLocaleString("en")} units, ${steps.toLocaleString("en")} steps of time`,
    rows: [row(large, "in memory"), row(small, "in memory"), row(small, "on the chip")],
  };
}

/** Vertices that a device runs at once, in no order: none of them may write what another reads or writes. */
export interface ComputeSet {
  readonly kind: "computeSet";
  readonly id: number;
  /** The debug path, with "/" between its parts: `layer1/forward/sum`. */
  readonly name: string;
}

/** A vertex by its number in its graph. */
export interface VertexReference {
  readonly kind: "vertex";
  readonly id: number;
}

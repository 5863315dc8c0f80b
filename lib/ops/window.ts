import type { Shape } from "../tensor/index.ts";

/** How a window goes over a plane: a number for each of height and width. */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** Attributes that say how a window goes over a plane, as operators declare them. */
export const windowAttributes = {
  stride: { kind: "numbers", default: [1, 1] },
  padding: { kind: "numbers", default: [0, 0] },
} as const;

/** The constraint that `isWindow` checks. */
export const windowConstraint = {
  rule: "kernel, stride and dilation must be two whole numbers ≥ 1 each, padding two ≥ 0",
  remedy: "give height and width, such as stride: [2, 2]",
};

/** Whether each setting has a whole number for both directions. */
export function isWindow({ kernel, stride, padding, dilation }: Window): boolean {
  const pair = (values: readonly number[], least: number): boolean =>
    values.length === 2 && values.every((value) => Number.isInteger(value) && value >= least);
  return pair(kernel, 1) && pair(stride, 1) && pair(dilation, 1) && pair(padding, 0);
}

/** How many elements a dilated kernel covers in each direction. */
function reach({ kernel, dilation }: Window): readonly number[] {
  return kernel.map((extent, axis) => (extent - 1) * dilation[axis] + 1);
}

/**
 * Extents of the plane of windows over a plane of `size`: ⌊(size + 2 · padding − reach) / stride⌋ + 1. Not positive
 * where the window is larger than the padded plane.
 */
export function windowsOver(size: Shape, window: Window): readonly number[] {
  const covered = reach(window);
  return size.map(
    (extent, axis) => Math.floor((extent + 2 * window.padding[axis] - covered[axis]) / window.stride[axis]) + 1,
  );
}

/** Calls `visit` for each element of a window that lies inside the plane: its place in the plane and in the kernel. */
export function forEachInWindow(
  [row, column]: readonly [number, number],
  [height, width]: Shape,
  { kernel, stride, padding, dilation }: Window,
  visit: (inPlane: number, inKernel: number) => void,
): void {
  for (let i = 0; i < kernel[0]; i++) {
    const y = row * stride[0] - padding[0] + i * dilation[0];
    if (y < 0 || y >= height) continue;
    for (let j = 0; j < kernel[1]; j++) {
      const x = column * stride[1] - padding[1] + j * dilation[1];
      if (x >= 0 && x < width) visit(y * width + x, i * kernel[1] + j);
    }
  }
}

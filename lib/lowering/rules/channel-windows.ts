import { channelWindowSum, type FloatType, localResponseNorm, sharedCodelet } from "../../codelets/index.ts";
import type { BlockLayout, Codelet, StateColumn } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import type { Lowering } from "../lowering.ts";

/** Extents of a block along some axes, multiplied. */
function extentOf(layout: BlockLayout, block: number, axes: readonly number[]): number {
  return axes.reduce((product, axis) => {
    const [start, end] = layout.intervalOf(block, axis);
    return product * (end - start);
  }, 1);
}

/** A rule for windows over channels: a vertex a block where it lies, with the blocks of neighbouring channels. */
function windowRule(
  codeletOf: (operation: Operation, type: FloatType) => Codelet,
): (lowering: Lowering, operation: Operation) => void {
  return (lowering, operation) => {
    const [x] = operation.inputs;
    const [y] = operation.outputs;
    const { variable, layout } = lowering.get(x);
    const { count, block, shape, grid } = layout;
    const reach = ((operation.attributes.size as number) - 1) / 2;
    const inner = shape.map((_, axis) => axis).filter((axis) => axis > 1);
    const step = inner.reduce((product, axis) => product * grid[axis], 1);
    const starts = new Uint32Array(count + 1);
    const lists: number[][] = [];
    const firstChannels = new Float64Array(count);
    for (let own = 0; own < count; own++) {
      const [start, end] = layout.intervalOf(own, 1);
      const place = layout.placeOf(own, 1);
      const low = Math.floor(Math.max(0, start - reach) / block[1]);
      const high = Math.floor(Math.min(shape[1] - 1, end - 1 + reach) / block[1]);
      firstChannels[own] = low * block[1];
      const list: number[] = [];
      for (let other = low; other <= high; other++) list.push(variable.firstBlock + own + (other - place) * step);
      lists.push(list);
      starts[own + 1] = starts[own] + list.length;
    }
    const numbers = (numberOf: (own: number) => number): StateColumn => ({
      every: 1,
      values: Float64Array.from({ length: count }, (_, own) => numberOf(own)),
    });
    const type = variable.type as FloatType;
    lowering.addFamily("", {
      codelet: codeletOf(operation, type),
      count,
      inputs: { in: { variable, blocks: Uint32Array.from(lists.flat()), starts } },
      outputs: { out: { variable: lowering.addResult(y, layout) } },
      states: {
        outer: numbers((own) => extentOf(layout, own, [0])),
        inner: numbers((own) => extentOf(layout, own, inner)),
        channel: numbers((own) => layout.intervalOf(own, 1)[0]),
        firstChannel: { every: 1, values: firstChannels },
      },
      tiles: variable.tiles.slice(),
    });
  };
}

export const channelWindowSumRule = windowRule(({ attributes }, type) => {
  const size = attributes.size as number;
  return sharedCodelet(`channel windows ${size} ${type}`, () => channelWindowSum(size, type));
});

export const localResponseNormRule = windowRule(({ attributes }, type) => {
  const [size, bias, alpha, beta] = ["size", "bias", "alpha", "beta"].map((name) => attributes[name] as number);
  return sharedCodelet(`response norm ${[size, bias, alpha, beta].join()} ${type}`, () =>
    localResponseNorm({ size, bias, alpha, beta }, type),
  );
});

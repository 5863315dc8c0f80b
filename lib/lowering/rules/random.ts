import { dropout, type FloatType, uniform } from "../../codelets/index.ts";
import type { BlockLayout, StateColumn } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import { dropoutLane, dropThreshold, uniformLane } from "../../ops/index.ts";
import { spreadOverTiles } from "../columns.ts";
import type { Lowering } from "../lowering.ts";

/** Each vertex holds the number of its block, from which the places of its elements follow. */
const blockNumbers = ({ count }: BlockLayout): StateColumn => ({
  every: 1,
  values: Uint32Array.from({ length: count }, (_, block) => block),
});

/** Elements dropped at random, block by block where they lie, by their places in the whole tensor. */
export function dropoutRule(lowering: Lowering, { inputs: [x, step], outputs: [y], attributes }: Operation): void {
  const { variable, layout } = lowering.get(x);
  const rate = attributes.rate as number;
  const settings = {
    layout,
    seed: attributes.seed as number,
    stream: attributes.stream as number,
    lane: dropoutLane,
    threshold: dropThreshold(rate),
    factor: 1 / (1 - rate),
  };
  lowering.addBlockWork({
    step: "",
    codelet: dropout(settings, variable.type as FloatType),
    out: "out",
    operands: { in: { variable } },
    scalars: { step: lowering.get(step).variable },
    states: { block: blockNumbers(layout) },
    result: lowering.addResult(y, layout, [x]),
    tiles: variable.tiles,
    list: false,
  });
}

/** Random numbers, block by block on all tiles. */
export function uniformRule(lowering: Lowering, { inputs: [step], outputs: [y], attributes }: Operation): void {
  const layout = lowering.layoutFor(y.type.shape);
  const settings = {
    layout,
    seed: attributes.seed as number,
    stream: attributes.stream as number,
    lane: uniformLane,
  };
  lowering.addBlockWork({
    step: "",
    codelet: uniform(settings, lowering.typeOf(y) as FloatType),
    out: "out",
    operands: {},
    scalars: { step: lowering.get(step).variable },
    states: { block: blockNumbers(layout) },
    result: lowering.addResult(y, layout),
    tiles: spreadOverTiles(layout.count, lowering.target.tileCount),
    list: false,
  });
}

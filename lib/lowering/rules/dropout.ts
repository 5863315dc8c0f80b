import { dropout } from "../../codelets/index.ts";
import type { Operation } from "../../ir/index.ts";
import { dropoutLane, dropThreshold } from "../../ops/index.ts";
import type { Lowering } from "../lowering.ts";

/** Elements dropped at random, block by block where they lie, by their places in the whole tensor. */
export function dropoutRule(lowering: Lowering, { inputs: [x, step], outputs: [y], attributes }: Operation): void {
  const { variable, layout } = lowering.get(x);
  const rate = attributes.rate as number;
  lowering.addBlockWork({
    step: "",
    codelet: dropout({
      layout,
      seed: attributes.seed as number,
      stream: attributes.stream as number,
      lane: dropoutLane,
      threshold: dropThreshold(rate),
      factor: 1 / (1 - rate),
    }),
    out: "out",
    operands: { in: { variable } },
    scalars: { step: lowering.get(step).variable },
    states: { block: { every: 1, values: Uint32Array.from({ length: layout.count }, (_, block) => block) } },
    result: lowering.addResult(y, layout, [x]),
    tiles: variable.tiles,
    list: false,
  });
}

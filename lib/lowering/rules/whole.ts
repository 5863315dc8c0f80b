import { type Codelet, codelet, type ElementType, input, output } from "../../graph/index.ts";
import type { Operation } from "../../ir/index.ts";
import { type OperatorName, operatorTable } from "../../ops/index.ts";
import type { HostTensor } from "../../tensor/index.ts";
import { wholeLayout } from "../layouts.ts";
import type { Lowering } from "../lowering.ts";

/**
 * An operator that no rule spreads over tiles: one vertex on one tile, which computes what the operator declares. Its
 * operands come together there, and its cycles are an operation for each of the operator's own count. What it costs
 * shows in every report, by this name.
 */
export function wholeRule(lowering: Lowering, operation: Operation): void {
  const { inputs, outputs, operator, attributes } = operation;
  const declared = operatorTable[operator as OperatorName];
  const inputTypes = inputs.map(({ type }) => type);
  const outputTypes = outputs.map(({ type }) => type);
  const { flops, bytes } = declared.cost(inputTypes, outputTypes, attributes);
  // One worker issues an instruction at a time; loads and stores are of eight bytes.
  const cycles = Math.ceil(flops + bytes / 8);
  const vector = (direction: typeof input | typeof output, type: ElementType) => direction.vector(type);
  const fields = Object.fromEntries([
    ...inputs.map((value, index) => [`in${index}`, vector(input, lowering.typeOf(value))] as const),
    ...outputs.map((value, index) => [`out${index}`, vector(output, lowering.typeOf(value))] as const),
  ]);
  const whole: Codelet = codelet(
    `Whole<${operator}>`,
    fields,
    (values) => {
      const vectors = values as unknown as Readonly<Record<string, HostTensor["data"]>>;
      const tensorOf = (name: string, { shape, dtype }: (typeof inputTypes)[number]): HostTensor =>
        ({ shape, dtype, data: vectors[name] }) as HostTensor;
      declared.compute(
        inputTypes.map((type, index) => tensorOf(`in${index}`, type)),
        outputTypes.map((type, index) => tensorOf(`out${index}`, type)),
        attributes,
      );
    },
    () => cycles,
    { bounds: "trusted" },
  );
  const operands = inputs.map((value) => lowering.getIn(value, wholeLayout(value.type.shape)).variable);
  const results = outputs.map((value) => lowering.addResult(value, wholeLayout(value.type.shape)));
  const one = (variable: (typeof operands)[number]) => ({ variable, blocks: Uint32Array.of(variable.firstBlock) });
  lowering.addFamily("on one tile", {
    codelet: whole,
    count: 1,
    inputs: Object.fromEntries(operands.map((variable, index) => [`in${index}`, one(variable)])),
    outputs: Object.fromEntries(results.map((variable, index) => [`out${index}`, { variable }])),
    tiles: new Uint16Array(1),
  });
}

import { sharedCodelet } from "../../codelets/index.ts";
import {
  BlockLayout,
  type Codelet,
  type ColumnOptions,
  codelet,
  type ElementType,
  input,
  output,
  type PlacedTensor,
} from "../../graph/index.ts";
import type { Operation, Value } from "../../ir/index.ts";
import { type OperatorName, operatorTable } from "../../ops/index.ts";
import { formatType, full, type HostTensor, type Shape, type TensorType } from "../../tensor/index.ts";
import { spreadOverTiles } from "../columns.ts";
import { rowLayout } from "../layouts.ts";
import type { Lowering } from "../lowering.ts";

// Operators that store numbers in words work on pieces as they do on the whole: a piece's words follow from its numbers alone.

/** How an operand or a result is cut: the shape of a piece, and the blocks of a layout, one after the other, that it is. */
interface Side {
  readonly layout: BlockLayout;
  readonly piece: Shape;
  readonly blocks: (piece: number) => readonly number[];
}

interface Pieces {
  readonly count: number;
  readonly inputs: readonly Side[];
  readonly outputs: readonly Side[];
}

/** A rule for an operator that does to each piece what it does to the whole: a vertex a piece, over all tiles. */
function pieceRule(
  cut: (lowering: Lowering, operation: Operation) => Pieces,
): (lowering: Lowering, operation: Operation) => void {
  return (lowering, operation) => {
    const { count, inputs, outputs } = cut(lowering, operation);
    const column = ({ blocks }: Side, { variable }: PlacedTensor): ColumnOptions => ({
      variable,
      blocks: Uint32Array.from(
        Array.from({ length: count }, (_, piece) => blocks(piece).map((block) => variable.firstBlock + block)).flat(),
      ),
      each: blocks(0).length,
    });
    const read = operation.inputs.map((value, index) => lowering.getIn(value, inputs[index].layout));
    const written = operation.outputs.map((value, index) => {
      const { layout } = outputs[index];
      return { variable: lowering.addResult(value, layout), layout };
    });
    lowering.addFamily("", {
      codelet: pieceCodelet(lowering, operation, inputs, outputs),
      count,
      inputs: Object.fromEntries(read.map((placed, index) => [`in${index}`, column(inputs[index], placed)])),
      outputs: Object.fromEntries(written.map((placed, index) => [`out${index}`, column(outputs[index], placed)])),
      tiles: spreadOverTiles(count, lowering.target.tileCount),
    });
  };
}

/** The operator itself on a piece; one worker does an operation or moves eight bytes at a time, by the operator's own count. */
function pieceCodelet(
  lowering: Lowering,
  { operator, attributes, inputs, outputs }: Operation,
  read: readonly Side[],
  written: readonly Side[],
): Codelet {
  const declared = operatorTable[operator as OperatorName];
  const typesOf = (values: readonly Value[], sides: readonly Side[]): readonly TensorType[] =>
    values.map(({ type: { dtype } }, index) => ({ dtype, shape: sides[index].piece }));
  const [inputTypes, outputTypes] = [typesOf(inputs, read), typesOf(outputs, written)];
  const { flops, bytes } = declared.cost(inputTypes, outputTypes, attributes);
  const cycles = Math.ceil(flops + bytes / 8);
  const held = [...inputs, ...outputs].map((value) => lowering.typeOf(value));
  const types = [...inputTypes, ...outputTypes].map(formatType).join();
  return sharedCodelet(`pieces ${operator} ${JSON.stringify(attributes)} ${types} ${held.join()}`, () => {
    const lists = (direction: typeof input | typeof output, type: ElementType) => direction.vectors(type);
    const fields = Object.fromEntries([
      ...inputs.map((_, index) => [`in${index}`, lists(input, held[index])] as const),
      ...outputs.map((_, index) => [`out${index}`, lists(output, held[inputs.length + index])] as const),
    ]);
    return codelet(
      `Pieces<${operator},${types}>`,
      fields,
      (values) => {
        const vectors = values as unknown as Readonly<Record<string, readonly HostTensor["data"][]>>;
        const whole = ({ shape, dtype }: TensorType): HostTensor => full(shape, 0, dtype as "float32");
        const given = inputTypes.map((type, index) => {
          const tensor = whole(type);
          let at = 0;
          for (const vector of vectors[`in${index}`]) for (const element of vector) tensor.data[at++] = element;
          return tensor;
        });
        const made = outputTypes.map(whole);
        declared.compute(given, made, attributes);
        for (const [index, { data }] of made.entries()) {
          let at = 0;
          for (const vector of vectors[`out${index}`]) {
            for (let place = 0; place < vector.length; place++) vector[place] = data[at++];
          }
        }
      },
      () => cycles,
    );
  });
}

/** One block of a layout for each piece. */
const blockByBlock = (layout: BlockLayout, piece: Shape): Side => ({ layout, piece, blocks: (own) => [own] });

/** Rows of numbers, or of the words that they are in, with a scale each. */
function rowPieces(_lowering: Lowering, { inputs: [x, largest], outputs: [y] }: Operation): Pieces {
  const row = ({ type: { shape } }: Value): Side => blockByBlock(rowLayout(shape), [1, shape[1]]);
  return {
    count: x.type.shape[0],
    inputs: [row(x), blockByBlock(new BlockLayout(largest.type.shape, [1]), [1])],
    outputs: [row(y)],
  };
}

/** Words with two numbers each, of which the one is half a vector behind the other: words, and both of their numbers. */
function wordPieces(lowering: Lowering, words: number): { count: number; words: Side; numbers: Side } {
  const { grain, target } = lowering;
  let each = Math.min(words, Math.max(grain.group, Math.ceil(words / target.tileCount)));
  while (words % each !== 0) each++;
  const count = words / each;
  return {
    count,
    words: blockByBlock(new BlockLayout([words], [each]), [each]),
    numbers: {
      layout: new BlockLayout([2 * words], [each]),
      piece: [2 * each],
      blocks: (piece) => [piece, piece + count],
    },
  };
}

export const packRule = pieceRule((lowering, { outputs: [y] }) => {
  const { count, words, numbers } = wordPieces(lowering, y.type.shape[0]);
  return { count, inputs: [numbers], outputs: [words] };
});

export const unpackRule = pieceRule((lowering, { inputs: [x] }) => {
  const { count, words, numbers } = wordPieces(lowering, x.type.shape[0]);
  return { count, inputs: [words], outputs: [numbers] };
});

export const quantizeRule = pieceRule(rowPieces);
export const dequantizeRule = pieceRule(rowPieces);

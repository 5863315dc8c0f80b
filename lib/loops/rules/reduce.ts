import { elementCount } from "../../tensor/index.ts";
import { along, at } from "../affine.ts";
import {
  type Combination,
  compare,
  constant,
  divide,
  type Expression,
  indexValue,
  integer,
  reduce,
  select,
} from "../expression.ts";
import { mergeReductions } from "../merge.ts";
import { type ElementRule, type LoopRule, type Position, remember } from "./rule.ts";

/** Reduces over the axes named in the attribute `axes`. */
function overAxes(combine: Combination): ElementRule {
  return {
    family: "reduce",
    same: [],
    elements({ operands: [x], attributes }) {
      const { shape } = x.type;
      const reduced = [...(attributes.axes as readonly number[])].sort((a, b) => a - b);
      const element = (kept: Position): Expression => {
        const axes = reduced.map((axis) => ({ name: `r${axis}`, extent: shape[axis] }));
        let next = 0;
        const position = shape.map((_, axis) =>
          reduced.includes(axis) ? along(axes[reduced.indexOf(axis)]) : kept[next++],
        );
        const body = x.at(position);
        return mergeReductions(reduce(combine, axes, body, { interleaved: true }));
      };
      return [remember(element)];
    },
  };
}

export const sum = overAxes("sum");
/** The sum, divided by the number of elements in it. */
export const mean: LoopRule = {
  family: "reduce",
  same: [],
  elements(input) {
    const { shape } = input.operands[0].type;
    const count = elementCount((input.attributes.axes as readonly number[]).map((axis) => shape[axis]));
    const [total] = sum.elements(input);
    return [(position) => divide(total(position), constant(count))];
  },
};
export const max = overAxes("maximum");

/**
 * The first index of the largest element: the smallest index at which it stands. Comparisons pass over NaN as those of
 * the definition do, except for one in first place, than which nothing is larger.
 */
export const argmax: LoopRule = {
  family: "reduce",
  same: [],
  elements({ operands: [x] }) {
    const extent = x.type.shape[x.type.shape.length - 1];
    const element = (row: Position): Expression => {
      const first = { name: "c", extent };
      const second = { name: "d", extent };
      const largest = reduce("larger", first, x.at([...row, along(first)]));
      const value = x.at([...row, along(second)]);
      const here = select(compare("equal", value, largest), indexValue(along(second)), integer(extent));
      const found = reduce("smaller", second, here);
      const start = x.at([...row, at(0)]);
      return select(compare("equal", start, start), found, integer(0));
    };
    return [remember(element)];
  },
};

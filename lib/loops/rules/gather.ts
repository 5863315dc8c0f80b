import { type Axis, along } from "../affine.ts";
import { compare, constant, type Expression, indexValue, integer, reduce, select } from "../expression.ts";
import { mergeReductions } from "../merge.ts";
import { type LoopRule, type Position, remember } from "./rule.ts";

// Loops have no addresses that depend on data. So a row is found by going through all of them, which is as much work as
// a product with one-hot rows: right for small tables, slow for large ones.

/** Σ over the table's rows of those that have the number; NaN where no row has it. */
export const gather: LoopRule = {
  family: "reduce",
  same: [],
  elements({ operands: [table, rows] }) {
    const extent = table.type.shape[0];
    const rank = rows.type.shape.length;
    return [
      remember((position) => {
        const row = rows.at(position.slice(0, rank));
        const axis: Axis = { name: "r", extent };
        const candidate = table.at([along(axis), ...position.slice(rank)]);
        const found = reduce(
          "sum",
          axis,
          select(compare("equal", row, indexValue(along(axis))), candidate, constant(0)),
        );
        const below = select(compare("less", row, integer(extent)), found, constant(Number.NaN));
        return select(compare("less", row, integer(0)), constant(Number.NaN), below);
      }),
    ];
  },
};

/** Σ over all pieces of those that have the row's number. */
export const scatterAdd: LoopRule = {
  family: "reduce",
  same: [],
  elements({ operands: [pieces, numbers] }) {
    const { shape } = numbers.type;
    const element = ([row, ...rest]: Position): Expression => {
      const axes = shape.map((extent, axis): Axis => ({ name: `n${axis}`, extent }));
      const place = axes.map((axis) => along(axis));
      const own = compare("equal", numbers.at(place), indexValue(row));
      const body = select(own, pieces.at([...place, ...rest]), constant(0));
      return mergeReductions(reduce("sum", axes, body));
    };
    return [remember(element)];
  },
};

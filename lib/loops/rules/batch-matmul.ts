import { along } from "../affine.ts";
import { multiply, reduce } from "../expression.ts";
import { type LoopRule, remember } from "./rule.ts";

/** Σ a[b,i,k] · c[b,k,j], either operand stored transposed. */
export const batchMatmul: LoopRule = {
  family: "reduce",
  same: [],
  elements({ operands: [a, b], attributes: { transposeA, transposeB } }) {
    const extent = a.type.shape[transposeA ? 1 : 2];
    return [
      remember(([pair, row, column]) => {
        const axis = { name: "k", extent };
        const inner = along(axis);
        const left = a.at(transposeA ? [pair, inner, row] : [pair, row, inner]);
        const right = b.at(transposeB ? [pair, column, inner] : [pair, inner, column]);
        return reduce("sum", axis, multiply(left, right), { interleaved: true, contracted: true });
      }),
    ];
  },
};

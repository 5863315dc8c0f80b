import { along } from "../affine.ts";
import { multiply, reduce } from "../expression.ts";
import { type LoopRule, remember } from "./rule.ts";

/** Σ a[i,k] · b[k,j], either operand stored transposed. */
export const matmul: LoopRule = {
  family: "matmul",
  same: [],
  elements({ operands: [a, b], attributes: { transposeA, transposeB } }) {
    const extent = a.type.shape[transposeA ? 0 : 1];
    return [
      remember(([row, column]) => {
        const axis = { name: "k", extent };
        const inner = along(axis);
        const left = a.at(transposeA ? [inner, row] : [row, inner]);
        const right = b.at(transposeB ? [column, inner] : [inner, column]);
        return reduce("sum", axis, multiply(left, right), { interleaved: true, contracted: true });
      }),
    ];
  },
};

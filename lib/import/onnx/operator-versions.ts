/** The greatest version of the operators whose meaning the rules follow, and the least that they follow throughout. */
export const operatorSets = { least: 13, greatest: 28 } as const;

/**
 * Operators that meant what they mean at version 13 before it already, by the version from which on: later versions added
 * dtypes, attributes that may be left out, or repeating of shapes. From ONNX's own list of changes
 * (https://github.com/onnx/onnx/blob/main/docs/Changelog.md); a test compares it with the schemas that the package has.
 */
const unchangedSince: Readonly<Record<number, readonly string[]>> = {
  1: [
    ...["ArgMax", "ArgMin", "AveragePool", "Constant", "Conv", "ConvTranspose", "DepthToSpace", "Flatten", "Gather"],
    ...["GlobalAveragePool", "GlobalMaxPool", "Identity", "LRN", "MatMul", "MaxPool", "Not", "ReduceL1", "ReduceL2"],
    ...["ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "ReduceSumSquare"],
    ...["Shape", "Size", "Softplus", "Softsign", "SpaceToDepth", "Squeeze", "Transpose", "Unsqueeze"],
  ],
  2: ["Split"],
  4: ["Concat"],
  5: ["Reshape"],
  6: [
    ...[
      "Abs",
      "Cast",
      "Ceil",
      "Elu",
      "Exp",
      "Floor",
      "HardSigmoid",
      "InstanceNormalization",
      "LeakyRelu",
      "Log",
      "Max",
    ],
    ...["Mean", "Min", "Neg", "Reciprocal", "Relu", "Selu", "Sigmoid", "Sqrt", "Sum", "Tanh", "Tile"],
  ],
  7: [
    ...["Add", "And", "Div", "Dropout", "Equal", "GRU", "Gemm", "Greater", "LSTM", "Less", "Mul", "Or", "PRelu", "Pow"],
    ...["RNN", "Sub", "Xor"],
  ],
  8: ["Expand"],
  9: ["BatchNormalization", "ConstantOfShape", "Erf", "IsNaN", "NonZero", "Shrink", "Sign", "Where"],
  10: ["IsInf", "Mod", "Slice", "ThresholdedRelu"],
  11: ["Clip", "Pad", "Range", "Resize", "Round"],
  12: ["Celu", "GreaterOrEqual", "LessOrEqual"],
};

const since: ReadonlyMap<string, number> = new Map(
  Object.entries(unchangedSince).flatMap(([version, operators]) =>
    operators.map((operator) => [operator, Number(version)] as const),
  ),
);

/** The version of the operators from which on an operator means what its rule says. */
export function meaningSince(operator: string): number {
  return since.get(operator) ?? operatorSets.least;
}

/** What our own layers call what these operators do; whoever counts layers goes by it. The first that a layer has is taken. */
const kinds: Readonly<Record<string, string>> = {
  Conv: "convolution",
  ConvTranspose: "transposedConvolution",
  Gemm: "dense",
  MatMul: "dense",
  BatchNormalization: "batchNorm",
  LayerNormalization: "layerNorm",
  GroupNormalization: "groupNorm",
  LRN: "localResponseNorm",
  MaxPool: "maxPool",
  AveragePool: "averagePool",
  GlobalAveragePool: "globalAveragePool",
  LSTM: "lstm",
  GRU: "gru",
  RNN: "rnn",
  Relu: "relu",
  LeakyRelu: "leakyRelu",
  Gelu: "gelu",
  Sigmoid: "sigmoid",
  Softplus: "softplus",
  Tanh: "tanh",
  Softmax: "softmax",
  Dropout: "dropout",
  Flatten: "flatten",
};

/** A layer's label: what it is, and which operators of the file it is made of, such as `dense(MatMul, Add)`. */
export function layerLabel(operators: readonly string[]): string {
  const known = Object.keys(kinds).find((operator) => operators.includes(operator));
  const all = [...new Set(operators)].join(", ");
  return known === undefined ? all : `${kinds[known]}(${all})`;
}

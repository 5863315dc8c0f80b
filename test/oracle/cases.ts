import type { Samples } from "../../lib/formats/index.ts";
import * as nn from "../../lib/nn/index.ts";
import { elementCount, type HostTensor, tensor } from "../../lib/tensor/index.ts";
import { type CompileOptions, compile } from "../../lib/training/index.ts";

const steps = 10;
const batch = 16;

/** The generator of torch-losses.py: Numerical Recipes' linear congruential one, 24 bits of each number. */
function numbers(stream: number, count: number, low: number, high: number): Float32Array {
  let state = stream;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + (high - low) * ((state >>> 8) / 2 ** 24);
  });
}

/** Parameters in their order, one stream each, by the rules of torch-losses.py. */
function weightsOf(model: nn.Model): ReadonlyMap<string, HostTensor> {
  return new Map(
    model.parameters.map(({ name, shape, elements }, index) => {
      const middle = name.endsWith(".gain") ? 1 : 0;
      // The weight of a product is [inputs, outputs], a filter [outputs, inputs, …]: the bound goes by the inputs of one output.
      const inputs = shape.length === 2 ? shape[0] : elementCount(shape.slice(1));
      const bound = shape.length === 1 ? 0.1 : Math.sqrt(3 / inputs);
      return [name, tensor(numbers(index + 1, elements, middle - bound, middle + bound), { shape })];
    }),
  );
}

function* batchesOf({ input }: nn.Model): Generator<Samples> {
  for (let step = 0; step < steps; step++) {
    const shape = [batch, ...input];
    const labels = Int32Array.from({ length: batch }, (_, sample) => (7 * sample + step) % 10);
    yield {
      inputs: tensor(numbers(1000 + step, elementCount(shape), 0, 1), { shape }),
      targets: tensor(labels, { dtype: "int32" }),
    };
  }
}

const normalised = (filters: number, options: nn.ConvolutionOptions): nn.Layer[] => [
  nn.convolution(filters, { ...options, bias: false }),
  nn.batchNorm(),
];

const residual = (filters: number, stride: number): nn.Layer =>
  nn.residual(
    [
      ...normalised(filters, { kernel: 3, stride, padding: 1 }),
      nn.relu(),
      ...normalised(filters, { kernel: 3, padding: 1 }),
    ],
    { shortcut: stride === 1 ? [] : normalised(filters, { kernel: 1, stride }), after: [nn.relu()] },
  );

const mlp = nn.sequential([nn.flatten(), nn.dense(32), nn.relu(), nn.dense(24), nn.tanh(), nn.dense(10)], {
  input: [1, 8, 8],
  name: "mlp",
});

const resnet = nn.sequential(
  [
    ...normalised(8, { kernel: 3, padding: 1 }),
    nn.relu(),
    nn.maxPool(2),
    residual(8, 1),
    residual(16, 2),
    nn.globalAveragePool(),
    nn.flatten(),
    nn.dense(10),
  ],
  { input: [3, 16, 16], name: "resnet" },
);

const recurrent = (layer: nn.Layer): nn.Model =>
  nn.sequential([layer, nn.dense(10)], { input: [9, 6], name: layer.type });

const models: Readonly<Record<string, nn.Model>> = {
  mlp,
  lenet5: nn.models.lenet5({ input: [1, 28, 28] }),
  resnet,
  lstm: recurrent(nn.lstm(20)),
  gru: recurrent(nn.gru(20)),
};

const optimizers: Readonly<Record<string, nn.Optimizer>> = {
  momentum: nn.sgd({ rate: 0.05, momentum: 0.9 }),
  adam: nn.adam({ rate: 0.002 }),
};

/** What is compared with PyTorch, by the names that torch-losses.py uses. */
export const cases: readonly string[] = Object.keys(models).flatMap((model) =>
  Object.keys(optimizers).map((optimizer) => `${model} with ${optimizer}`),
);

/** The losses of ten training steps. */
export async function lossesOf(name: string, options: CompileOptions): Promise<readonly number[]> {
  const [model, optimizer] = name.split(" with ");
  const program = compile(models[model], { ...options, batch, optimizer: optimizers[optimizer] });
  program.reset(weightsOf(models[model]));
  const { stepLosses } = await program.fit(batchesOf(models[model]));
  program.dispose();
  return stepLosses;
}

/** The largest relative difference between two lists of losses. */
export function largestDifference(ours: readonly number[], theirs: readonly number[]): number {
  if (ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
  return Math.max(...ours.map((loss, step) => Math.abs(loss - theirs[step]) / Math.abs(theirs[step])));
}

// Training steps of the benchmarks mlp and cnn on TensorFlow.js: `node tfjs-steps.mjs FOLDER THREADS NETWORK …`, where
// FOLDER has @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm installed. Of its backends wasm (SIMD, threads) is much
// the quicker one; cpu, which has one thread, trains what wasm cannot. Prints seconds a step, and the backend, as JSON
// in the last line.
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, threads, ...names] = process.argv.slice(2);
const load = createRequire(join(folder, "package.json"));
const tf = load("@tensorflow/tfjs");
const wasm = load("@tensorflow/tfjs-backend-wasm");

const batch = 64;
const dense = (units, activation) => tf.layers.dense({ units, activation });
const convolution = (filters, kernelSize, padding) =>
  tf.layers.conv2d({ filters, kernelSize, padding, activation: "relu" });
const pool = () => tf.layers.maxPooling2d({ poolSize: 2 });

/** Layers by name; pictures are [height, width, channels], which is the only layout that there is. */
const networks = {
  shallow: { input: [784], layers: () => [dense(128, "relu"), dense(10)] },
  deep: { input: [784], layers: () => [...Array.from({ length: 8 }, () => dense(64, "relu")), dense(10)] },
  small: {
    input: [28, 28, 1],
    layers: () => [
      convolution(16, 3, "same"),
      pool(),
      convolution(32, 3, "same"),
      pool(),
      tf.layers.flatten(),
      dense(10),
    ],
  },
  lenet5: {
    input: [28, 28, 1],
    layers: () => [
      convolution(6, 5, "same"),
      pool(),
      convolution(16, 5, "valid"),
      pool(),
      tf.layers.flatten(),
      dense(120, "relu"),
      dense(84, "relu"),
      dense(10),
    ],
  },
};

function stepSeconds({ input, layers }) {
  const model = tf.sequential();
  for (const [index, layer] of layers().entries()) {
    if (index === 0) layer.batchInputShape = [batch, ...input];
    model.add(layer);
  }
  const optimizer = tf.train.sgd(0.1);
  const source = Float32Array.from({ length: batch * input.reduce((a, b) => a * b, 1) }, (_, i) => (i % 256) / 255);
  const labels = Int32Array.from({ length: batch }, (_, sample) => sample % 10);
  const step = () =>
    tf.tidy(() => {
      const x = tf.tensor(source, [batch, ...input]);
      const y = tf.oneHot(tf.tensor1d(labels, "int32"), 10).toFloat();
      const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true })), true);
      return loss.dataSync()[0];
    });
  const now = () => performance.now() / 1000;
  // One second of warming up, then two of measuring; at least one step, and two, of those that take longer.
  const warm = now() + 1;
  do step();
  while (now() < warm);
  const times = [];
  const end = now() + 2;
  while (now() < end || times.length < 2) {
    const before = now();
    step();
    times.push(now() - before);
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)];
}

const steps = {};
for (const backend of ["wasm", "cpu"]) {
  if (names.every((name) => steps[name] !== undefined)) break;
  if (backend === "wasm") wasm.setThreadsCount(Number(threads));
  if (!(await tf.setBackend(backend))) {
    console.error(`tfjs: the backend ${backend} does not begin`);
    continue;
  }
  if (backend === "wasm") console.error(`tfjs: wasm runs on ${wasm.getThreadsCount()} of ${threads} threads`);
  for (const name of names) {
    if (steps[name] !== undefined) continue;
    try {
      steps[name] = { seconds: stepSeconds(networks[name]), backend };
    } catch (error) {
      console.error(`tfjs: ${name} does not train on ${backend}: ${error.message.split("\n")[0]}`);
    }
  }
}
console.log(JSON.stringify(steps));
// Workers of the wasm backend would keep the process alive.
process.exit(0);

import * as assert from "uvu/assert";
import { makeSchedule } from "../../../lib/compiler/index.ts";
import { devices } from "../../../lib/graph/index.ts";
import { GraphBuilder } from "../../../lib/ir/index.ts";
import { lower } from "../../../lib/lowering/index.ts";
import * as nn from "../../../lib/nn/index.ts";
import { operatorTable } from "../../../lib/ops/index.ts";
import {
  byteJoules,
  formatMachines,
  machines,
  operationJoules,
  runLayered,
  runOnTiles,
  simulate,
  tileByteJoules,
  totalJoules,
} from "../../../lib/simulator/index.ts";
import { inferenceGraph } from "../../../lib/training/index.ts";
import { suite } from "../../support/suite.ts";

const test = suite("machines to compare with");

/** a · b, then its relu, then their product with b again: 4 + 4 + 4 KiB and so on. */
function chain() {
  const builder = new GraphBuilder(operatorTable, "chain");
  const type = { shape: [32, 32], dtype: "float32" } as const;
  const a = builder.input("a", type, "data");
  const b = builder.input("b", type, "parameter");
  const product = builder.apply("matmul", [a, b]);
  const active = builder.apply("tanh", [product]);
  builder.output("y", builder.apply("matmul", [active, b]));
  return makeSchedule(builder.build(), []);
}

const kibibytes = 4 * 1024;
const plain = { ...machines.gpu, startSeconds: 0, width: 1 };

test("with room for everything, what is given comes in once and what is asked for goes out once", () => {
  const { interfaceBytes, localBytesNeeded, flops, steps } = runLayered(chain(), plain);
  // Nothing tells that a, and what is between, need not be kept: they are data, and only intermediate values are dropped.
  assert.is(interfaceBytes, 2 * kibibytes + kibibytes);
  assert.is(localBytesNeeded, 4 * kibibytes);
  assert.is(flops, 2 * (2 * 32 ** 3) + 32 * 32);
  assert.is(steps, 3);
});

test("without room, every operation loads its operands and writes its result", () => {
  const { interfaceBytes, energy, seconds } = runLayered(chain(), { ...plain, localBytes: 0 });
  const moved = (3 + 2 + 3) * kibibytes;
  assert.is(interfaceBytes, moved);
  assert.is(energy.memory, moved * byteJoules.hbm);
  assert.ok(seconds >= moved / plain.memoryBytesPerSecond);
});

test("with room for two tensors, the one that was used least recently is spilled", () => {
  // matmul: a, b in, product drives a out (unchanged); tanh: product is there, its result drives b out; product is dead.
  // matmul: the result of tanh is there, b comes in again; y drives the result out, which is wanted no more. y goes out.
  const { interfaceBytes } = runLayered(chain(), { ...plain, localBytes: 2 * kibibytes });
  assert.is(interfaceBytes, (3 + 1) * kibibytes);
});

test("half precision halves bytes, and lanes that are not filled cost time", () => {
  const half = runLayered(chain(), { ...plain, localBytes: 0 }, "half");
  assert.is(half.interfaceBytes, 4 * kibibytes);
  assert.is(half.energy.arithmetic, half.flops * operationJoules.half);
  const slow = { ...plain, memoryBytesPerSecond: 1e30 };
  const wide = { ...slow, width: 4 * 32 * 32 };
  const ratio = runLayered(chain(), wide).seconds / runLayered(chain(), slow).seconds;
  assert.ok(Math.abs(ratio - 4) < 1e-9, String(ratio));
});

test("devices have the peak rates that their data sheets name", () => {
  // Graphcore's product briefs of the C2, M2000 and Bow-2000: TFLOP/s of halves and of single numbers, TB/s of exchange.
  const published = [
    [devices.gc2, 124.5, 31.1, 7.78],
    [devices.gc200, 250.6, 62.6, 7.83],
    [devices.bow, 348.6, null, null],
  ] as const;
  for (const [{ name, tileCount, clockHz, matrixUnits, exchangeBytesPerCycle }, half, single, exchange] of published) {
    // A block of weights takes a pixel in 4 cycles of half inputs and 8 of single ones; a product is two operations.
    const rate = (units: number, cycles: number): number => (tileCount * clockHz * 2 * 16 * units) / cycles / 1e12;
    const near = (made: number, expected: number): void =>
      assert.ok(Math.abs(made / expected - 1) < 0.002, `${name}: ${made} for ${expected}`);
    near(rate(matrixUnits.half, 4), half);
    if (single !== null) near(rate(matrixUnits.float, 8), single);
    if (exchange !== null) near((tileCount * clockHz * exchangeBytesPerCycle) / 1e12, exchange);
  }
});

test("the energy constants are those of their sources", () => {
  const pico = 1e-12;
  const close = (made: number, expected: number): void =>
    assert.ok(Math.abs(made / (expected * pico) - 1) < 1e-9, `${made}`);
  // Horowitz 2014: additions and multiplications; 64 bits of 32 KB and of 1 MB; DRAM in the middle of 1.3 to 2.6 nJ.
  close(operationJoules.single, (0.9 + 3.7) / 2);
  close(operationJoules.half, (0.4 + 1.1) / 2);
  close(tileByteJoules(32 * 1024), 20 / 8);
  close(tileByteJoules(1024 * 1024), 100 / 8);
  close(byteJoules.dram, (1300 + 2600) / 2 / 8);
  // O'Connor et al. 2017, a bit; Keckler et al. 2011, 256 bits over 10 mm, for two thirds of the side of 823 mm².
  close(byteJoules.hbm, 8 * 3.92);
  close(byteJoules.exchange, (8 * 310 * 1.9) / 256);
  assert.ok(Math.abs(((2 / 3) * Math.sqrt(823)) / 10 - 1.9) < 0.02);
});

test("tiles and machines of layers tell of the same network in the same words", () => {
  const schedule = makeSchedule(inferenceGraph(nn.models.lenet5(), { batch: 4, loss: nn.crossEntropy() }));
  const program = lower(schedule, devices.gc200);
  const tiles = runOnTiles(schedule, program);
  const gpu = runLayered(schedule, machines.gpu);
  const cpu = runLayered(schedule, machines.cpu);
  assert.is(tiles.flops, gpu.flops);
  assert.is(tiles.seconds, simulate(program).seconds);
  // The weights stay on the tiles; the machines of layers load them.
  assert.ok(tiles.interfaceBytes < gpu.interfaceBytes);
  const { arithmetic, local, exchange, memory } = tiles.energy;
  assert.is(totalJoules(tiles.energy), arithmetic + local + exchange + memory);
  const text = formatMachines([tiles, gpu, cpu]);
  for (const part of ["GC200", "GPU-like", "CPU-like", "over the interface", "needed"])
    assert.ok(text.includes(part), text);
});

test.run();

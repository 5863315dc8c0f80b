import { codelet, input, output, type Target } from "../graph/index.ts";
import { allWorkers, stepsPerWorker, vectorWidth } from "./support.ts";

// The four gates of n units stand one after the other before their functions are applied: input, forget, candidate and
// output, 4n numbers (Hochreiter and Schmidhuber 1997; the forget gate of Gers, Schmidhuber and Cummins 2000).

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

interface Cell {
  readonly input: number;
  readonly forget: number;
  readonly candidate: number;
  readonly output: number;
}

function gatesOf(gates: ArrayLike<number>, unit: number): Cell {
  const units = gates.length / 4;
  return {
    input: sigmoid(gates[unit]),
    forget: sigmoid(gates[units + unit]),
    candidate: Math.tanh(gates[2 * units + unit]),
    output: sigmoid(gates[3 * units + unit]),
  };
}

function checkUnits(gates: { readonly length: number }, ...others: readonly { readonly length: number }[]): void {
  if (others.every(({ length }) => 4 * length === gates.length)) return;
  const got = others.map(({ length }) => length).join(", ");
  throw new Error(`gates must be four times as many as units, got ${gates.length} for ${got}; connect all four gates`);
}

// An assumption put together from PopLibs' loops: 12 cycles a vector for a sigmoid or a tanh, 3 for a product or a sum.
const functionCycles = 12;
const arithmeticCycles = 3;
const workerCycles = 17;
const supervisorCycles = 20;

const cycles = (units: number, functions: number, arithmetic: number, target: Target): number =>
  target.workersPerTile *
    (workerCycles +
      (functions * functionCycles + arithmetic * arithmeticCycles) * stepsPerWorker(units, vectorWidth.float, target)) +
  supervisorCycles;

/**
 * One step of the units of an LSTM, in single precision: the next state of each cell, and what it shows.
 *
 * Cycles: W · (17 + 72 · ⌈n / W / 2⌉) + 20 for n units, three sigmoids, two tanh and four operations, as an assumption.
 */
export function lstmCell() {
  return codelet(
    "LstmCell<float>",
    {
      gates: input.vector("float"),
      cell: input.vector("float"),
      nextCell: output.vector("float"),
      hidden: output.vector("float"),
    },
    ({ gates, cell, nextCell, hidden }) => {
      checkUnits(gates, cell, nextCell, hidden);
      for (let unit = 0; unit < cell.length; unit++) {
        const own = gatesOf(gates, unit);
        nextCell[unit] = own.forget * cell[unit] + own.input * own.candidate;
        hidden[unit] = own.output * Math.tanh(nextCell[unit]);
      }
    },
    ({ gates, cell, nextCell, hidden }, target) => {
      checkUnits(gates, cell, nextCell, hidden);
      return cycles(cell.length, 5, 4, target);
    },
    allWorkers,
  );
}

/**
 * The gradient of that step: from those of what the cells show and of their next states to those of the gates, before
 * their functions, and of the states before.
 *
 * Cycles: W · (17 + 120 · ⌈n / W / 2⌉) + 20, with five functions again and twenty operations, as an assumption.
 */
export function lstmCellGradient() {
  return codelet(
    "LstmCellGradient<float>",
    {
      gates: input.vector("float"),
      cell: input.vector("float"),
      nextCell: input.vector("float"),
      deltaHidden: input.vector("float"),
      deltaNextCell: input.vector("float"),
      deltaGates: output.vector("float"),
      deltaCell: output.vector("float"),
    },
    ({ gates, cell, nextCell, deltaHidden, deltaNextCell, deltaGates, deltaCell }) => {
      checkUnits(gates, cell, nextCell, deltaHidden, deltaNextCell, deltaCell);
      const units = cell.length;
      for (let unit = 0; unit < units; unit++) {
        const own = gatesOf(gates, unit);
        const shown = Math.tanh(nextCell[unit]);
        const delta = deltaNextCell[unit] + deltaHidden[unit] * own.output * (1 - shown * shown);
        deltaCell[unit] = delta * own.forget;
        deltaGates[unit] = delta * own.candidate * own.input * (1 - own.input);
        deltaGates[units + unit] = delta * cell[unit] * own.forget * (1 - own.forget);
        deltaGates[2 * units + unit] = delta * own.input * (1 - own.candidate * own.candidate);
        deltaGates[3 * units + unit] = deltaHidden[unit] * shown * own.output * (1 - own.output);
      }
    },
    ({ gates, cell, nextCell, deltaHidden, deltaNextCell, deltaGates, deltaCell }, target) => {
      checkUnits(gates, cell, nextCell, deltaHidden, deltaNextCell, deltaCell);
      checkUnits(deltaGates, deltaCell);
      return cycles(cell.length, 5, 20, target);
    },
    allWorkers,
  );
}

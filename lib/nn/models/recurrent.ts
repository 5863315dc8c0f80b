import type { Shape } from "../../tensor/index.ts";
import { checkSize } from "../layer.ts";
import { dense } from "../layers.ts";
import { type Model, sequential } from "../model.ts";
import { gru, lstm, type RecurrentOptions, rnn } from "../recurrent.ts";
import { modelOptions } from "./options.ts";

/** Settings of a classifier of sequences. */
export interface SequenceClassifierOptions extends Pick<RecurrentOptions, "truncation"> {
  /** `lstm` unless told otherwise. */
  readonly cell?: "rnn" | "lstm" | "gru";
  /** Shape of a sample: [time, features]; [28, 28], a picture row by row, unless told otherwise. */
  readonly input?: Shape;
  /** Width of the hidden state; 128 unless told otherwise. */
  readonly hidden?: number;
  /** Recurrent layers on top of each other; 1 unless told otherwise. */
  readonly layers?: number;
  /** 10 unless told otherwise. */
  readonly classes?: number;
  readonly seed?: number;
}

/** Reads a sequence step by step and answers from the last hidden state. */
export function sequenceClassifier(options: SequenceClassifierOptions = {}): Model {
  const { cell = "lstm", input = [28, 28], hidden = 128, layers = 1, classes = 10, truncation, seed } = options;
  const make = { rnn, lstm, gru }[cell];
  if (make === undefined) {
    throw new Error(`sequenceClassifier: the cell must be rnn, lstm or gru, got ${String(cell)}; choose one of them`);
  }
  checkSize("sequenceClassifier", "layers", layers);
  const names = { rnn: "RNN", lstm: "LSTM", gru: "GRU" };
  const recurrent = Array.from({ length: layers }, (_, index) =>
    make(hidden, { sequence: index < layers - 1, truncation }),
  );
  return sequential(
    [...recurrent, dense(classes, { initialiser: "glorot" })],
    modelOptions(names[cell], { input, seed }),
  );
}

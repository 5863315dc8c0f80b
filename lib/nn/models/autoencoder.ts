import { elementCount, type Shape } from "../../tensor/index.ts";
import { type BoltzmannOptions, boltzmann } from "../boltzmann.ts";
import { chain } from "../compose.ts";
import { dense, flatten, relu, reshape, sigmoid } from "../layers.ts";
import { type Model, sequential } from "../model.ts";
import { maskingNoise } from "../regularisers.ts";
import { modelOptions } from "./options.ts";

/** Settings of an autoencoder. */
export interface AutoencoderOptions {
  /** Shape of a sample; [28, 28] unless told otherwise. */
  readonly input?: Shape;
  /** Units of the encoder's layers, the code last; [128, 32] unless told otherwise. */
  readonly widths?: readonly number[];
  /** Share of the input that is masked while training, which makes it a denoising autoencoder; 0 unless told otherwise. */
  readonly noise?: number;
  readonly seed?: number;
}

/**
 * Dense layers down to a code and back up to numbers from 0 to 1 of the input's shape (Hinton and Salakhutdinov 2006):
 * layers `encoder` and `decoder`. Compile it with `reconstruction()`.
 */
export function autoencoder(options: AutoencoderOptions = {}): Model {
  const { input = [28, 28], widths = [128, 32], noise = 0, seed } = options;
  if (widths.length === 0) throw new Error("autoencoder: widths must name at least the code, got none; try [128, 32]");
  const up = [...widths.slice(0, -1)].reverse();
  const last = dense(elementCount(input), { initialiser: "glorot" });
  return sequential(
    [
      flatten(),
      ...(noise === 0 ? [] : [maskingNoise(noise)]),
      chain(
        widths.flatMap((units) => [dense(units), relu()]),
        { name: "encoder" },
      ),
      chain([...up.flatMap((units) => [dense(units), relu()]), last, sigmoid()], { name: "decoder" }),
      reshape(input),
    ],
    modelOptions(noise === 0 ? "autoencoder" : "denoising autoencoder", {
      input,
      ...(seed === undefined ? {} : { seed }),
    }),
  );
}

/** Settings of a model that is one restricted Boltzmann machine. */
export interface RbmOptions extends BoltzmannOptions {
  /** Shape of a sample of numbers from 0 to 1; [28, 28] unless told otherwise. */
  readonly input?: Shape;
  /** Hidden units; 128 unless told otherwise. */
  readonly hidden?: number;
  readonly seed?: number;
}

/**
 * One restricted Boltzmann machine; see `boltzmann`. It answers with the probabilities of its hidden units, on which the
 * next machine of a stack is trained. Compile it with `ownObjective()`.
 */
export function rbm({ input = [28, 28], hidden = 128, seed, ...options }: RbmOptions = {}): Model {
  return sequential([flatten(), boltzmann(hidden, options)], modelOptions("Boltzmann machine", { input, seed }));
}

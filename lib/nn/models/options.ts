import type { Shape } from "../../tensor/index.ts";
import type { ModelOptions } from "../model.ts";

/** What all networks for pictures may be told. */
export interface PictureModelOptions {
  /** 1000, those of ImageNet, unless told otherwise. */
  readonly classes?: number;
  /** [channels, height, width] of a sample; [3, 224, 224] unless told otherwise. */
  readonly input?: Shape;
  /** Seed of the first weights; 1 unless told otherwise. */
  readonly seed?: number;
}

/** The options of a model with these settings. */
export function modelOptions(name: string, { input = [3, 224, 224], seed }: PictureModelOptions): ModelOptions {
  return { input, name, seed };
}

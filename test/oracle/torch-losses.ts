import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What torch-losses.py prints. */
export interface TorchLosses {
  /** PyTorch's version. */
  readonly torch: string;
  readonly losses: Readonly<Record<string, readonly number[]>>;
}

const folder = join(import.meta.dirname, "../../../test/oracle");

/** Where the losses lie that PyTorch gave when it was last asked. */
export const storedFile = join(folder, "torch-losses.json");

/** The losses that PyTorch gave when it was last asked. */
export function storedLosses(): TorchLosses {
  return JSON.parse(readFileSync(storedFile, "utf8")) as TorchLosses;
}

/** Asks PyTorch. */
export function liveLosses(python: string): TorchLosses {
  const output = execFileSync(python, [join(folder, "torch-losses.py")], { encoding: "utf8" });
  return JSON.parse(output.trim().split("\n").at(-1) as string) as TorchLosses;
}

import { rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BadInput } from "./bad-input.ts";

/**
 * Writes a file whole or not at all: under a temporary name beside it first, then renamed into place. A reader
 * never sees half of it, and an interrupted or failed write leaves what stood there before.
 *
 * @throws BadInput when the file cannot be written
 */
export async function writeFileWhole(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw new BadInput(`output: the file must be writable, got ${code} (${path}), make room or choose another folder`);
  }
}

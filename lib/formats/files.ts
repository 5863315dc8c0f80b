/** What of Node's file system we use. */
type FileSystem = typeof import("node:fs/promises");

/**
 * Node's file system, asked for when it is needed and by a call that bundlers leave alone: what does not touch files runs
 * in a browser as well.
 */
function fileSystem(path: string): FileSystem {
  const found = globalThis.process?.getBuiltinModule?.("node:fs/promises");
  if (found === undefined) {
    throw new Error(`files: there must be a file system, got none (${path}); in a browser use bytes instead of files`);
  }
  return found;
}

/** A whole file's bytes; null if there is no such file. */
export async function readFileIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await fileSystem(path).readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * A whole file's bytes.
 *
 * @param subject who asks, for the error
 * @throws Error naming the file if there is none
 */
export async function readWholeFile(subject: string, path: string): Promise<Uint8Array> {
  const bytes = await readFileIfThere(path);
  if (bytes === null) throw new Error(`${subject}: the file must exist, got none (${path}); check the path`);
  return bytes;
}

let written = 0;

/**
 * Writes a whole file so that at any time there is either what was there before or all of the new: first under another
 * name beside it, to the disk, then renamed (POSIX, rename).
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const { open, rename, rm } = fileSystem(path);
  const draft = `${path}.${process.pid}-${++written}.tmp`;
  try {
    const file = await open(draft, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

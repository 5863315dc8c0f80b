import type ts from "typescript";

/**
 * The working directory as the compiler knows it: a place that does not exist, mounted on a directory that does.
 *
 * A compiler that starts from a snapshot has its working directory frozen into it, long before the notebook's is known.
 * So it is given this one, and every path on its way to the disk is translated. The place lies deep enough for `../` and
 * for the search for `node_modules` in the folders above.
 */
export const mountPoint = `/.tessera${Array.from({ length: 16 }, (_, depth) => `/${depth}`).join("")}`;

const mountParts = mountPoint.split("/");

/** The path on disk of a path that the compiler asks for. */
export function mounted(path: string, directory: string): string {
  const parts = path.split("/");
  if (parts[1] !== mountParts[1]) return path;
  let common = 2;
  while (common < mountParts.length && parts[common] === mountParts[common]) common++;
  const up = mountParts.length - common;
  const below = parts.slice(common);
  const base = directory === "/" ? [] : directory.split("/").slice(1);
  return `/${[...base.slice(0, Math.max(0, base.length - up)), ...below].join("/")}`;
}

/**
 * A system whose working directory is {@link mountPoint}, mounted where `directory` says at each call.
 *
 * @param directory absolute path, with slashes
 */
export function mountSystem(system: ts.System, directory: () => string): ts.System {
  const real = (path: string): string => mounted(path, directory());
  return {
    ...system,
    getCurrentDirectory: () => mountPoint,
    readFile: (path, encoding) => system.readFile(real(path), encoding),
    fileExists: (path) => system.fileExists(real(path)),
    directoryExists: (path) => system.directoryExists(real(path)),
    getDirectories: (path) => system.getDirectories(real(path)),
    readDirectory: (path, ...rest) => system.readDirectory(real(path), ...rest),
    realpath: (path) => system.realpath?.(real(path)) ?? path,
    getModifiedTime: (path) => system.getModifiedTime?.(real(path)),
    getFileSize: (path) => system.getFileSize?.(real(path)) ?? 0,
    // The compiler falls back to a hash of its own, which unlike node:crypto may lie in a snapshot.
    createHash: undefined,
    createSHA256Hash: undefined,
  };
}

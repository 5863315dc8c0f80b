import type ts from "typescript";

/** A file system for the compiler that can be asked to look for changes, instead of watching with timers of its own. */
export interface PolledSystem extends ts.System {
  /** Tells the compiler of every watched file that changed since the last call. */
  poll(): void;
}

/**
 * The compiler's view of the disk.
 *
 * The compiler's own watchers are timers and handles which keep a process alive and cannot be stored in a snapshot, and
 * a notebook needs to know of a change only when the next cell is checked. Packages are taken not to change.
 *
 * @param system the compiler's own system
 * @param workingDirectory what the compiler believes the working directory to be
 */
export function createPolledSystem(system: ts.System, workingDirectory: string): PolledSystem {
  const watched = new Map<string, { readonly tell: ts.FileWatcherCallback; modified: number }>();
  const modifiedAt = (path: string): number => system.getModifiedTime?.(path)?.getTime() ?? 0;
  return {
    ...system,
    useCaseSensitiveFileNames: true,
    getCurrentDirectory: () => workingDirectory,
    watchFile(path, tell) {
      if (!path.includes("/node_modules/")) watched.set(path, { tell, modified: modifiedAt(path) });
      return { close: () => watched.delete(path) };
    },
    watchDirectory: () => ({ close: () => {} }),
    poll() {
      for (const [path, file] of watched) {
        const modified = modifiedAt(path);
        if (modified === file.modified) continue;
        const kind = file.modified === 0 ? 0 : modified === 0 ? 2 : 1; // created, deleted, changed
        file.modified = modified;
        file.tell(path, kind);
      }
    },
  };
}

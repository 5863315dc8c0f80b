import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** What a process of strangers' code may use. */
export interface SandboxLimits {
  readonly memoryBytes: number;
  readonly processes: number;
  /** What it may leave in its home and in /tmp together. */
  readonly diskBytes: number;
}

/** What this machine can hold strangers' code back with. */
export interface Protection {
  /** Whether bubblewrap works: no network, a read-only system, a private home. */
  readonly bubblewrap: boolean;
  /** Why not. */
  readonly trouble: string | null;
  /** Whether memory and processes are held by control groups; else they are watched. */
  readonly controlGroups: boolean;
}

/** Where a sandboxed process finds its files: the folder's content is copied there, and what it writes is lost. */
export const sandboxHome = "/home/student";

const bubblewrap = "bwrap";

/** What of the system a process needs in order to run Node. */
const systemFolders = ["/usr", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/ld.so.cache", "/etc/alternatives"];

/** Tries what this machine can do. */
export function findProtection(): Protection {
  const tried = spawnSync(bubblewrap, [...isolation(16 * 2 ** 20), "--", "/bin/sh", "-c", "exit 0"], {
    encoding: "utf8",
  });
  const trouble =
    tried.error !== undefined
      ? "bubblewrap is not installed"
      : tried.status === 0
        ? null
        : `bubblewrap cannot make a sandbox here: ${tried.stderr.trim().split("\n")[0]}`;
  return { bubblewrap: trouble === null, trouble, controlGroups: ControlGroup.isPossible() };
}

/** Neither network nor other processes, a system that can only be read, and nothing of anybody's home. */
function isolation(diskBytes: number): string[] {
  const system = systemFolders.filter((path) => existsSync(path)).flatMap((path) => ["--ro-bind", path, path]);
  const half = String(Math.floor(diskBytes / 2));
  return [
    "--unshare-all",
    "--die-with-parent",
    "--new-session",
    "--hostname",
    "sandbox",
    ...system,
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--size",
    half,
    "--tmpfs",
    "/tmp",
    "--size",
    half,
    "--tmpfs",
    sandboxHome,
    "--chdir",
    sandboxHome,
  ];
}

/** The package's own files, Node, and the compiler's snapshot: all that the kernel reads, and only to read. */
function kernelFiles(): string[] {
  const distribution = fileURLToPath(new URL("../..", import.meta.url));
  const project = dirname(dirname(join(distribution, "x")));
  const modules = nodeModules(project);
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tessera");
  const paths = [
    process.execPath,
    distribution,
    join(project, "package.json"),
    join(project, "kernel/assets"),
    join(project, "lib/plot/assets"),
    ...modules,
    cache,
  ];
  return [...new Set(paths)].filter((path) => existsSync(path)).flatMap(showPath);
}

/** A link stays a link inside: Node tells modules apart by what links lead to, and the snapshot's name counts on it. */
function showPath(path: string): string[] {
  const target = realpathSync(path);
  const shown = ["--ro-bind", target, target];
  return lstatSync(path).isSymbolicLink() ? [...shown, "--symlink", target, path] : ["--ro-bind", target, path];
}

/** Folders of packages that this one may use: its own, and those that it lies in. Links are followed. */
function nodeModules(project: string): string[] {
  const found: string[] = [];
  for (let folder = project; folder !== dirname(folder); folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    if (existsSync(modules)) found.push(modules, realpathSync(modules));
  }
  return found;
}

/** One process's sandbox: how to start it, and what to tear down after it. */
export class Sandbox {
  readonly #folder: string;
  readonly #limits: SandboxLimits;
  readonly #group: ControlGroup | undefined;

  /** @param folder its content stands in the sandbox's home */
  constructor(folder: string, limits: SandboxLimits) {
    this.#folder = folder;
    this.#limits = limits;
    this.#group = ControlGroup.isPossible() ? new ControlGroup(limits) : undefined;
  }

  /** The command that runs another inside. */
  readonly wrap = (command: readonly string[]): readonly string[] => {
    const { diskBytes, processes } = this.#limits;
    const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"));
    const inside = [
      bubblewrap,
      ...isolation(diskBytes),
      ...kernelFiles(),
      "--ro-bind",
      this.#folder,
      "/submission",
      "--clearenv",
      ...Object.entries({ PATH: "/usr/bin:/bin", HOME: sandboxHome, XDG_CACHE_HOME: cache, LANG: "C.UTF-8" }).flatMap(
        ([name, value]) => ["--setenv", name, value],
      ),
      "--",
      "/bin/sh",
      "-c",
      // Where control groups do not hold the number of processes, this does, except for root.
      `ulimit -u ${processes} 2>/dev/null; ulimit -c 0; cp -r /submission/. . 2>/dev/null; exec "$@"`,
      "sh",
      ...command,
    ];
    if (this.#group === undefined) return inside;
    return ["/bin/sh", "-c", `${this.#group.enter()}exec "$@"`, "sh", ...inside];
  };

  /** Whether the system ended the process for its memory. */
  get wasOutOfMemory(): boolean {
    return this.#group?.wasOutOfMemory ?? false;
  }

  /** Takes away what the sandbox left; its process must be gone. */
  dispose(): void {
    this.#group?.remove();
  }
}

let lastGroup = 0;

/** A control group, of either version, made below the one that this process is in. Only where that is allowed. */
class ControlGroup {
  readonly #folders: readonly { readonly path: string; readonly version: 1 | 2 }[];

  static isPossible(): boolean {
    return controllers().length > 0;
  }

  constructor({ memoryBytes, processes }: SandboxLimits) {
    const name = `tessera-${process.pid}-${++lastGroup}`;
    this.#folders = controllers().map(({ root, version }) => ({ path: join(root, name), version }));
    for (const { path, version } of this.#folders) {
      mkdirSync(path, { recursive: true });
      const set = (file: string, value: number): void => {
        if (existsSync(join(path, file))) writeFileSync(join(path, file), String(value));
      };
      set(version === 2 ? "memory.max" : "memory.limit_in_bytes", memoryBytes);
      set("memory.swap.max", 0);
      set("pids.max", processes);
    }
  }

  /** Shell commands by which a process enters. */
  enter(): string {
    return this.#folders.map(({ path }) => `echo $$ > '${path}/cgroup.procs'; `).join("");
  }

  get wasOutOfMemory(): boolean {
    return this.#folders.some(({ path }) =>
      ["memory.events", "memory.oom_control"].some((file) => {
        const at = join(path, file);
        return existsSync(at) && /^oom_kill [1-9]/m.test(readFileSync(at, "utf8"));
      }),
    );
  }

  remove(): void {
    for (const { path } of this.#folders) {
      try {
        rmdirSync(path);
      } catch {
        // Its last process is still being taken apart; an empty group costs nothing.
      }
    }
  }
}

/** Where control groups can be made: version 2 with both controllers handed down to us, or version 1's two trees. */
function controllers(): { readonly root: string; readonly version: 1 | 2 }[] {
  const mine = existsSync("/proc/self/cgroup") ? readFileSync("/proc/self/cgroup", "utf8").trim().split("\n") : [];
  const unified = mine.find((line) => line.startsWith("0::"))?.slice(3);
  if (unified !== undefined) {
    const root = join("/sys/fs/cgroup", unified);
    const handedDown = join(root, "cgroup.subtree_control");
    const given = existsSync(handedDown) ? readFileSync(handedDown, "utf8") : "";
    if (given.includes("memory") && given.includes("pids") && isWritable(root)) return [{ root, version: 2 }];
  }
  return ["memory", "pids"].flatMap((controller) => {
    const path = mine.find((line) => line.split(":")[1]?.split(",").includes(controller))?.split(":")[2];
    const roots = [join("/sys/fs/cgroup", controller, path ?? ""), join("/sys/fs/cgroup", controller)];
    const root = roots.find((folder) => existsSync(join(folder, "cgroup.procs")) && isWritable(folder));
    return path !== undefined && root !== undefined ? [{ root, version: 1 as const }] : [];
  });
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    // A mount may be read-only although the permissions say otherwise, to root above all.
    const probe = join(folder, `tessera-probe-${process.pid}`);
    mkdirSync(probe);
    rmdirSync(probe);
    return true;
  } catch {
    return false;
  }
}

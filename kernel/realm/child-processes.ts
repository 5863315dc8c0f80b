import childProcess, { type SpawnSyncOptions, type SpawnSyncReturns } from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import { post } from "./port.ts";

/** How a program's streams are connected, and which of its outputs the notebook has to pass on. */
interface Connection {
  readonly options: SpawnSyncOptions;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** The same options with pipes in place of outputs that would be inherited. */
function piped(given: SpawnSyncOptions = {}): Connection {
  const { stdio } = given;
  const [input, output, errors, ...rest] = Array.isArray(stdio) ? stdio : [stdio, stdio, stdio];
  const isOurs = (target: unknown, stream: "stdout" | "stderr"): boolean =>
    target === "inherit" || target === 1 || target === 2 || target === process[stream];
  const [stdout, stderr] = [isOurs(output, "stdout"), isOurs(errors, "stderr")];
  if (!stdout && !stderr) return { options: given, stdout, stderr };
  // Nobody types into the kernel's own input.
  const from = input === "inherit" || input === 0 ? "ignore" : input;
  const connected = [from, stdout ? "pipe" : output, stderr ? "pipe" : errors, ...rest];
  return { options: { ...given, stdio: connected }, stdout, stderr };
}

type Spawn = (this: childProcess.ChildProcess, options: SpawnSyncOptions) => unknown;
type Ran = SpawnSyncReturns<Buffer | string>;

const { spawnSync, execSync, execFileSync } = childProcess;

/** Runs a program to its end, and passes on what it has written to streams that it inherits. */
function run(file: string, values: readonly string[], { options, stdout, stderr }: Connection): Ran {
  const ran: Ran = spawnSync(file, values, options);
  if (stdout && ran.stdout) process.stdout.write(ran.stdout);
  if (stderr && ran.stderr) process.stderr.write(ran.stderr);
  return ran;
}

/** What `execSync` and its like do with a program that has failed. */
function failed(command: string, ran: Ran): Error | undefined {
  if (ran.error !== undefined) return ran.error;
  return ran.status === 0 ? undefined : Object.assign(new Error(`Command failed: ${command}`), ran);
}

function separate(given: readonly unknown[]): [values: readonly string[], options: SpawnSyncOptions | undefined] {
  const [first, second] = given;
  return Array.isArray(first) ? [first, second as SpawnSyncOptions] : [[], (first ?? second) as SpawnSyncOptions];
}

/**
 * Lets the output of programs that inherit the notebook's streams arrive in the notebook: what they would inherit are the
 * streams of the kernel's process, which no reader sees.
 */
export function redirectChildProcesses(): void {
  const prototype = childProcess.ChildProcess.prototype as unknown as { spawn: Spawn };
  const { spawn } = prototype;
  prototype.spawn = function (given) {
    const { options, stdout, stderr } = piped(given);
    const result = spawn.call(this, options);
    const { pid: id } = this;
    if (id !== undefined) {
      post({ type: "program", id, runs: true });
      this.once("exit", () => post({ type: "program", id, runs: false }));
    }
    if (stdout) this.stdout?.on("data", (chunk) => process.stdout.write(chunk));
    if (stderr) this.stderr?.on("data", (chunk) => process.stderr.write(chunk));
    return result;
  };
  Object.assign(childProcess, {
    spawnSync(file: string, ...given: unknown[]): Ran {
      const [values, options] = separate(given);
      return run(file, values, piped(options));
    },
    execSync(command: string, given?: SpawnSyncOptions): unknown {
      const connection = piped(given);
      if (!connection.stdout && !connection.stderr) return execSync(command, given as object);
      const ran = run(command, [], { ...connection, options: { shell: true, ...connection.options } });
      const error = failed(command, ran);
      if (error !== undefined) throw error;
      return connection.stdout ? null : ran.stdout;
    },
    execFileSync(file: string, ...given: unknown[]): unknown {
      const [values, options] = separate(given);
      const connection = piped(options);
      if (!connection.stdout && !connection.stderr) return execFileSync(file, values, options as object);
      const ran = run(file, values, connection);
      const error = failed([file, ...values].join(" "), ran);
      if (error !== undefined) throw error;
      return connection.stdout ? null : ran.stdout;
    },
  });
  syncBuiltinESMExports();
}

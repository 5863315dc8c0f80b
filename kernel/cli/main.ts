#!/usr/bin/env node
import type { Command } from "./command.ts";

/** Every subcommand, loaded when it is asked for: the kernel must not wait for what it does not use. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run.ts")).run,
  inspect: async () => (await import("./inspect.ts")).inspect,
  assign: async () => (await import("./course/assign.ts")).assign,
  release: async () => (await import("./course/release.ts")).release,
  validate: async () => (await import("./course/validate.ts")).validate,
  autograde: async () => (await import("./course/autograde.ts")).autograde,
  feedback: async () => (await import("./course/feedback.ts")).feedback,
  export: async () => (await import("./course/export.ts")).exportResults,
  lab: async () => (await import("./lab.ts")).lab,
  install: async () => (await import("./install.ts")).install,
  doctor: async () => (await import("./doctor.ts")).doctor,
  kernel: async () => (await import("./kernel.ts")).kernel,
};

async function usage(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const width = Math.max(...all.map(({ usage }) => usage.length));
  return all.map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`).join("\n");
}

/** A misspelt option is bad input, not a failure of ours. */
async function runCommand(load: () => Promise<Command>, args: string[]): Promise<number> {
  const { run, usage } = await load();
  try {
    return await run(args);
  } catch (error) {
    // By its name: a command that never reads notebooks should not load what does.
    if (error instanceof Error && error.name === "BadInput") {
      console.error(error.message);
      return 2;
    }
    if (!(error instanceof TypeError) || !String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS"))
      throw error;
    console.error(`tessera: ${error.message}\n\n  ${usage}`);
    return 2;
  }
}

const [name, ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name ?? "") ? commands[name] : undefined;
if (command !== undefined) {
  process.exitCode = await runCommand(command, args);
} else if (name === undefined || name === "help" || name === "--help" || name === "-h") {
  console.log(`tessera: networks as graphs, in TypeScript notebooks\n\n${await usage()}`);
} else {
  console.error(`tessera: the subcommand must be one of these, got ${name}\n\n${await usage()}`);
  process.exitCode = 2;
}

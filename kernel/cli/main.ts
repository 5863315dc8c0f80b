#!/usr/bin/env node
import type { Command } from "./command.ts";

/** Every subcommand, loaded when it is asked for: the kernel must not wait for what it does not use. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run.ts")).run,
  kernel: async () => (await import("./kernel.ts")).kernel,
};

async function usage(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const width = Math.max(...all.map(({ usage }) => usage.length));
  return all.map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`).join("\n");
}

const [name, ...args] = process.argv.slice(2);
const command = Object.hasOwn(commands, name ?? "") ? commands[name] : undefined;
if (command !== undefined) {
  process.exitCode = await (await command()).run(args);
} else if (name === undefined || name === "help" || name === "--help" || name === "-h") {
  console.log(`tessera: networks as graphs, in TypeScript notebooks\n\n${await usage()}`);
} else {
  console.error(`tessera: the subcommand must be one of these, got ${name}\n\n${await usage()}`);
  process.exitCode = 2;
}

import { parseArgs } from "node:util";
import { runKernel } from "../main.ts";
import type { Command } from "./command.ts";

/** What Jupyter starts: `tessera kernel CONNECTION_FILE`. */
export const kernel: Command = {
  usage: "tessera kernel CONNECTION_FILE",
  summary: "run as a Jupyter kernel; front ends do this",
  async run(args) {
    const { positionals } = parseArgs({ args, allowPositionals: true });
    const [connectionFile] = positionals;
    if (connectionFile === undefined) {
      console.error(`tessera kernel: a connection file must be given, got none; Jupyter starts kernels by itself`);
      return 2;
    }
    await runKernel(connectionFile);
    return 0;
  },
};

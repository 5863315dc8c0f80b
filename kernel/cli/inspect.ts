import { basename, extname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BadInput } from "../headless/index.ts";
import type { Command } from "./command.ts";
import { readCount } from "./numbers.ts";

/** Strategies that are compared unless told otherwise: those whose planning takes little time for networks of any size. */
const usualStrategies = ["keep-everything", "reuse", "checkpoint"];

export const inspect: Command = {
  usage:
    "tessera inspect FILE [--batch N] [--input 3,224,224] [--device gc200|gpu|…] [--strategy NAME[,NAME…]] [--page PAGE.html]",
  summary: "say of a model of ONNX, Keras or TensorFlow.js where its memory and its work go",
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        batch: { type: "string", default: "1" },
        input: { type: "string" },
        device: { type: "string" },
        strategy: { type: "string" },
        page: { type: "string" },
      },
    });
    if (positionals.length !== 1) {
      throw new BadInput(`inspect: there must be one file, got ${positionals.length}, write tessera inspect net.onnx`);
    }
    const [file] = positionals;
    const batch = readCount("--batch", values.batch, 1);
    const input = values.input?.split(",").map((extent) => readCount("--input", extent, 1));
    const page = values.page ?? `${basename(file, extname(file))}.html`;
    if (!page.endsWith(".html")) throw new BadInput(`--page: must end in .html, got ${page}, write --page net.html`);
    // What computes is loaded when it is asked for: help must not wait for it.
    const { inspectModel } = await import("./inspect-model.ts");
    const found = await inspectModel(file, {
      batch,
      input,
      strategies: values.strategy?.split(",") ?? usualStrategies,
      device: values.device,
    });
    for (const part of found.parts) console.log(`${part}\n`);
    const { writeInspectPage } = await import("./inspect-page.ts");
    await writeInspectPage(page, found);
    console.log(`Pictures and tables: ${resolve(page)}`);
    return 0;
  },
};

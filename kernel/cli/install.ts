import { parseArgs } from "node:util";
import { install as installInto, prefixDataFolder, userDataFolder } from "../install.ts";
import { prepareSnapshot } from "../session/index.ts";
import type { Command } from "./command.ts";

export const install: Command = {
  usage: "tessera install [--user | --sys-prefix | --prefix PATH]",
  summary: "make Jupyter know the kernel",
  async run(args) {
    const { values } = parseArgs({
      args,
      options: { user: { type: "boolean" }, "sys-prefix": { type: "boolean" }, prefix: { type: "string" } },
    });
    const chosen = [values.user, values["sys-prefix"], values.prefix].filter((value) => value !== undefined);
    if (chosen.length > 1) {
      console.error(
        "tessera install: one place must be chosen, got several; give --user, --sys-prefix or --prefix PATH",
      );
      return 2;
    }
    const folder = dataFolder(values);
    if (folder === undefined) {
      console.error(
        "tessera install: --sys-prefix must find an active virtual or conda environment, got none; activate one or give --prefix PATH",
      );
      return 2;
    }
    const { kernelspec, labextension } = await installInto(folder);
    console.log(`kernel      ${kernelspec}`);
    if (labextension !== null) console.log(`extension   ${labextension}`);
    if (await prepareSnapshot()) console.log("snapshot    the first cell of a kernel starts soon");
    return 0;
  },
};

function dataFolder(values: { "sys-prefix"?: boolean; prefix?: string }): string | undefined {
  if (values.prefix !== undefined) return prefixDataFolder(values.prefix);
  if (!values["sys-prefix"]) return userDataFolder();
  const prefix = process.env.VIRTUAL_ENV ?? process.env.CONDA_PREFIX;
  return prefix && prefixDataFolder(prefix);
}

import { createRequire } from "node:module";
import type { LoadTslab } from "./tslab.ts";

const require = createRequire(import.meta.url);
const fork = require.resolve("@tslab/typescript-for-tslab", { paths: [require.resolve("tslab/package.json")] });

/** Puts our TypeScript where Node would remember the fork, before tslab asks for it. */
export const loadTslab: LoadTslab = (request, typescript) => {
  require.cache[fork] = { id: fork, filename: fork, loaded: true, exports: typescript } as NodeJS.Module;
  return require(request);
};

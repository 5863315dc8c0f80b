import { createRequire } from "node:module";
import type { LanguageOptions } from "./messages.ts";
import { serve } from "./serve.ts";
import { createLanguage } from "./service.ts";
import type { LoadTslab } from "./tslab.ts";

const require = createRequire(import.meta.url);
const fork = require.resolve("@tslab/typescript-for-tslab", { paths: [require.resolve("tslab/package.json")] });

/** Puts our TypeScript where Node would remember the fork, before tslab asks for it. */
const load: LoadTslab = (request, typescript) => {
  require.cache[fork] = { id: fork, filename: fork, loaded: true, exports: typescript } as NodeJS.Module;
  return require(request);
};

const options = JSON.parse(process.argv[2] ?? "null") as LanguageOptions;
serve(createLanguage(load, options));

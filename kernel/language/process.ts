import { loadTslab } from "./load-tslab.ts";
import type { LanguageOptions } from "./messages.ts";
import { serve } from "./serve.ts";
import { createLanguage } from "./service.ts";

const options = JSON.parse(process.argv[2] ?? "null") as LanguageOptions;
serve(createLanguage(loadTslab, options));

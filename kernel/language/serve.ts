import type { Language, LanguageRequest, LanguageResponse } from "./messages.ts";

/** Answers the questions of the process that started this one, until it goes away. */
export function serve(language: Language): void {
  process.on("message", (request: LanguageRequest) => {
    process.send?.(answer(language, request));
  });
  process.on("disconnect", () => process.exit());
}

function answer(language: Language, { id, method, parameters }: LanguageRequest): LanguageResponse {
  try {
    const ask = language[method] as (given: typeof parameters) => ReturnType<Language[typeof method]>;
    return { id, result: ask(parameters) };
  } catch (error) {
    return { id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

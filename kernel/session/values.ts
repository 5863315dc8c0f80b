import type { Completions } from "../language/index.ts";
import type { JsonObject } from "../protocol/index.ts";
import type { Realm } from "../realm/index.ts";
import type { SessionParts } from "./types.ts";

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Members that a value has, where its type knows none: those that begin like this, own ones first. */
export async function membersLike(
  realm: Realm,
  { path, quoted }: NonNullable<Completions["membersOf"]>,
  typed: string,
): Promise<Completions["matches"]> {
  const members = (await realm.look({ path }))?.members ?? [];
  return members.filter(({ text, isOwn }) => text.startsWith(typed) && (quoted ? isOwn : identifier.test(text)));
}

/** What is known about the name at a position: by its type, and by its value while no cell runs. */
export async function inspect(
  { language, realm }: SessionParts,
  code: string,
  position: number,
): Promise<JsonObject | null> {
  const { data, path } = await language.ask("inspect", { code, position });
  const value = path && (await realm.look({ path }))?.text;
  if (!value) return data;
  if (data === null) return { "text/plain": value, "text/markdown": block(value) };
  return {
    "text/plain": `${data["text/plain"]}\n\n${value}`,
    "text/markdown": `${data["text/markdown"]}\n\n${block(value)}`,
  };
}

/** A fence that no line of the text can close. */
function block(text: string): string {
  const fence = "`".repeat(Math.max(3, ...(text.match(/`+/g) ?? []).map(({ length }) => length + 1)));
  return `${fence}text\n${text}\n${fence}`;
}

import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { HistoryEntry, HistoryRequest } from "../protocol/index.ts";

interface Remembered {
  readonly session: number;
  readonly line: number;
  readonly input: string;
}

/** Inputs of this session and of those before it, in a file of one JSON object a line. */
export class History {
  readonly #file: string | null;
  readonly #loaded: Promise<void>;
  readonly #entries: Remembered[] = [];
  #session = 1;
  #written: Promise<void> = Promise.resolve();

  /** @param file absolute path; null keeps the history in memory */
  constructor(file: string | null) {
    this.#file = file;
    this.#loaded = this.#load();
  }

  async add(line: number, input: string): Promise<void> {
    await this.#loaded;
    const entry = { session: this.#session, line, input };
    this.#entries.push(entry);
    const file = this.#file;
    if (file === null) return;
    this.#written = this.#written.then(async () => {
      try {
        await mkdir(dirname(file), { recursive: true });
        await appendFile(file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
      } catch (error) {
        console.error(`history: ${file} must be writable, got ${error}; inputs are kept for this session only`);
      }
    });
    await this.#written;
  }

  async find(request: HistoryRequest): Promise<HistoryEntry[]> {
    await this.#loaded;
    const found = this.#select(request);
    return found.map(({ session, line, input }) => [session, line, request.output ? [input, null] : input]);
  }

  #select({ hist_access_type: type, n, pattern, unique, session = 0, start = 0, stop }: HistoryRequest): Remembered[] {
    if (type === "tail") return lastOf(this.#entries, n);
    if (type === "range") {
      // 0 is the session that runs, and −1 the one before it.
      const wanted = session <= 0 ? this.#session + session : session;
      const end = stop ?? Number.POSITIVE_INFINITY;
      return this.#entries.filter((entry) => entry.session === wanted && entry.line >= start && entry.line < end);
    }
    const matches = globPattern(pattern ?? "*");
    const found = this.#entries.filter(({ input }) => matches.test(input));
    // Of equal inputs the newest stays.
    const last = new Map(found.map((entry) => [entry.input, entry]));
    return lastOf(unique ? found.filter((entry) => last.get(entry.input) === entry) : found, n);
  }

  async #load(): Promise<void> {
    if (this.#file === null) return;
    let text: string;
    try {
      text = await readFile(this.#file, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") console.error(`history: ${error}`);
      return;
    }
    for (const line of text.split("\n")) {
      const entry = parse(line);
      if (entry !== undefined) this.#entries.push(entry);
    }
    this.#session = Math.max(0, ...this.#entries.slice(-1000).map(({ session }) => session)) + 1;
  }
}

/** A line that another kernel was just writing, or that someone edited, is no reason to lose the others. */
function parse(line: string): Remembered | undefined {
  try {
    const { session, line: number, input } = JSON.parse(line) as Partial<Remembered>;
    if (typeof session !== "number" || typeof number !== "number" || typeof input !== "string") return undefined;
    return { session, line: number, input };
  } catch {
    return undefined;
  }
}

function lastOf<Item>(items: readonly Item[], count: number | null | undefined): Item[] {
  if (count === null || count === undefined) return [...items];
  return count <= 0 ? [] : items.slice(-count);
}

/** `*` stands for any text and `?` for any character, as in a shell. */
function globPattern(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s");
}

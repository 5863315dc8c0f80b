import { stripVTControlCharacters, styleText } from "node:util";
import type { KernelMessage } from "@jupyterlab/services";
import type { JsonObject, MimeBundle } from "../protocol/index.ts";
import { firstLine } from "./notebook.ts";
import type { CellPlace, CellRun, RunEvent } from "./run-notebook.ts";

/** Where progress is shown: a terminal, or anything else that takes text. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** First line about a long cell where lines cannot be rewritten, in seconds; later ones come ever more rarely. */
const firstReportSeconds = 10;
const longestSilenceSeconds = 120;

/** Columns for the seconds, and columns that a long first line leaves for news of the cell. */
const tookWidth = 9;
const newsWidth = 24;
/** More characters than these no screen is wide enough for. */
const longestNews = 500;

/**
 * Shows a run on a terminal: one line for each cell with its number, its first line and its seconds. The line of the
 * cell that runs is rewritten in place and carries the last thing the cell printed or updated; where lines cannot be
 * rewritten, a long cell says how it goes from time to time.
 */
export class ProgressReporter {
  readonly #screen: Screen;
  #place: CellPlace | undefined;
  #started = 0;
  #nextReport = 0;
  #news = "";
  #timer: NodeJS.Timeout | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Takes one event of a run. */
  readonly hear = (event: RunEvent): void => {
    switch (event.kind) {
      case "cell-started":
        this.#begin(event.place);
        break;
      case "message":
        this.#news = newsIn(event.message) ?? this.#news;
        break;
      case "cell-finished":
        this.stop();
        this.#screen.write(`${this.#line(event.place, event.run.seconds)}${this.#mark(event.run)}\n`);
    }
  };

  /** Ends the line in progress, if there is one, so that something else may be written. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#place && this.#screen.isTTY) this.#screen.write("\r\x1b[2K");
    this.#place = undefined;
  }

  /** Text in a colour or weight, where the screen shows such things. */
  paint(format: Parameters<typeof styleText>[0], text: string): string {
    return this.#screen.isTTY && !process.env.NO_COLOR ? styleText(format, text) : text;
  }

  #begin(place: CellPlace): void {
    this.#place = place;
    this.#started = performance.now();
    this.#nextReport = firstReportSeconds;
    this.#news = "";
    this.#timer = setInterval(() => this.#tick(), this.#screen.isTTY ? 100 : 500).unref();
    this.#tick();
  }

  #tick(): void {
    if (!this.#place) return;
    const seconds = (performance.now() - this.#started) / 1000;
    if (this.#screen.isTTY) {
      this.#screen.write(`\r\x1b[2K${this.#lineWithNews(this.#place, seconds)}`);
    } else if (seconds >= this.#nextReport) {
      this.#nextReport = seconds + Math.min(seconds, longestSilenceSeconds);
      this.#screen.write(`${" ".repeat(label(this.#place).length)}${seconds.toFixed(0)} s  ${this.#news}`.trimEnd());
      this.#screen.write("\n");
    }
  }

  /** The columns in which every line about a cell begins: number, first line, seconds. */
  #line(place: CellPlace, seconds: number): string {
    const number = label(place);
    const titleWidth = Math.max(12, Math.min(64, this.#columns - number.length - tookWidth - newsWidth));
    const title = fit(firstLine(place.cell), titleWidth);
    const padding = " ".repeat(titleWidth - widthOf(title));
    return `${this.paint("dim", number)}${title}${padding}${`${seconds.toFixed(1)} s`.padStart(tookWidth)}`;
  }

  /** A line that is rewritten in place, and so must be narrower than the screen. */
  #lineWithNews(place: CellPlace, seconds: number): string {
    const line = this.#line(place, seconds);
    const room = this.#columns - widthOf(stripVTControlCharacters(line)) - 3;
    return `${line}  ${fit(this.#news, room)}`.trimEnd();
  }

  get #columns(): number {
    return this.#screen.columns ?? 100;
  }

  #mark({ status }: CellRun): string {
    if (status === "failed" || status === "interrupted") return `  ${this.paint("red", status)}`;
    return status === "tolerated" ? "  raised, as its tag allows" : "";
  }
}

function label({ number, count }: CellPlace): string {
  return `  [${String(number).padStart(String(count).length)}/${count}] `;
}

/** The last line of what a cell prints or updates, which is where progress stands. */
function newsIn(message: KernelMessage.IIOPubMessage): string | undefined {
  const type = message.header.msg_type as string;
  const content = message.content as unknown as JsonObject;
  const isUpdated = ((content.transient ?? {}) as JsonObject).display_id !== undefined;
  const shown = type === "stream" ? content.text : isUpdated ? (content.data as MimeBundle)["text/plain"] : undefined;
  if (typeof shown !== "string") return undefined;
  const lines = stripVTControlCharacters(shown).split(/[\r\n]/);
  const last = lines.findLast((line) => line.trim() !== "");
  return last?.trim().slice(0, longestNews).replaceAll("\t", " ");
}

/** The beginning of a text that takes no more than `width` columns. */
function fit(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let fitted = "";
  for (const character of text) {
    if (widthOf(fitted + character) > width - 1) break;
    fitted += character;
  }
  return width < 1 ? "" : `${fitted}…`;
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += wide.test(character) ? 2 : /\p{Mark}/u.test(character) ? 0 : 1;
  return width;
}

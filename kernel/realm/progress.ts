import { randomUUID } from "node:crypto";
import { currentCell } from "./cell.ts";
import { display } from "./display.ts";

/** How far something has come. */
export interface ProgressReport {
  /** Names the bar; reports under one id move one bar. */
  readonly id: string;
  readonly title: string;
  /** Steps done so far, and steps in all; without `total` the bar only counts. */
  readonly done: number;
  readonly total?: number;
  /** A few words behind the bar, such as the loss. */
  readonly note?: string;
  readonly finished?: boolean;
}

/** A bar is redrawn this often at most. */
const millisecondsBetweenDrawings = 100;

interface Bar {
  readonly displayId: string;
  readonly started: number;
  drawn: number;
}

const bars = new Map<string, Bar>();

/** Draws a bar, or moves it if its id is known. Cheap enough to be called for every step of a loop. */
export function report(progress: ProgressReport): void {
  const now = performance.now();
  // A cell that runs again has bars of its own.
  const key = `${currentCell().id}/${progress.id}`;
  let bar = bars.get(key);
  const first = bar === undefined;
  bar ??= { displayId: randomUUID(), started: now, drawn: now };
  if (first) bars.set(key, bar);
  if (!first && !progress.finished && now - bar.drawn < millisecondsBetweenDrawings) return;
  bar.drawn = now;
  const drawing = draw(progress, (now - bar.started) / 1000);
  // How long something takes is no result: who compares outputs leaves what is marked like this out.
  display.bundle(drawing, { id: bar.displayId, metadata: { tessera: { progress: true } } });
  if (progress.finished) bars.delete(key);
}

function draw({ title, done, total, note, finished }: ProgressReport, seconds: number): Record<string, string> {
  const share = total === undefined ? undefined : total === 0 ? 1 : Math.min(1, done / total);
  const left = share !== undefined && share > 0 && !finished ? (seconds * (1 - share)) / share : undefined;
  const counts = total === undefined ? `${done}` : `${done}/${total}`;
  const time = left === undefined ? duration(seconds) : `${duration(seconds)}, ${duration(left)} left`;
  const percent = share === undefined ? "" : `${String(Math.floor(share * 100)).padStart(3)} % `;
  const tail = [counts, time, ...(note ? [note] : [])].join(" · ");
  const width = share === undefined ? (finished ? 100 : 0) : share * 100;
  const colour = finished ? "#2e7d32" : "#1976d2";
  return {
    "text/plain": `${title} ${percent}${textBar(share ?? (finished ? 1 : 0))} ${tail}`,
    "text/html":
      `<div style="display:flex;gap:.75em;align-items:center;font-size:13px;font-variant-numeric:tabular-nums">` +
      `<span style="white-space:nowrap">${escapeHtml(title)}</span>` +
      `<span role="progressbar" aria-valuenow="${width.toFixed(0)}" aria-valuemin="0" aria-valuemax="100" ` +
      `style="flex:0 1 14em;min-width:3em;height:.6em;border-radius:.3em;background:rgba(128,128,128,.25);overflow:hidden">` +
      `<span style="display:block;height:100%;width:${width.toFixed(1)}%;background:${colour}"></span></span>` +
      `<span style="flex:0 1 auto;min-width:0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis">` +
      `${escapeHtml(percent + tail)}</span></div>`,
  };
}

function textBar(share: number): string {
  const eighths = Math.round(share * 160);
  const full = "█".repeat(Math.floor(eighths / 8));
  const part = eighths % 8 === 0 ? "" : " ▏▎▍▌▋▊▉"[eighths % 8];
  return `▕${(full + part).padEnd(20)}▏`;
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What a loop may say about itself. */
export interface ProgressOptions {
  readonly title?: string;
  /** Number of items, where the iterable does not say. */
  readonly total?: number;
}

/** Walks through a collection and shows how far it has come: `for (const image of progress(images)) …`. */
export function* progress<Item>(items: Iterable<Item>, options: ProgressOptions = {}): Generator<Item, void> {
  const id = randomUUID();
  const { title = "Progress" } = options;
  const { length, size } = items as { length?: number; size?: number };
  const total = options.total ?? length ?? size;
  let done = 0;
  const tell = (finished: boolean): void =>
    report({ id, title, done, finished, ...(total === undefined ? {} : { total }) });
  tell(false);
  try {
    for (const item of items) {
      yield item;
      done++;
      tell(false);
    }
  } finally {
    tell(true);
  }
}

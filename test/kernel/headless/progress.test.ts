import { stripVTControlCharacters } from "node:util";
import type { KernelMessage } from "@jupyterlab/services";
import * as assert from "uvu/assert";
import type { CellRun } from "../../../kernel/headless/index.ts";
import { ProgressReporter } from "../../../kernel/headless/progress.ts";
import { suite } from "../../support/suite.ts";
import { code } from "./fixtures.ts";

const test = suite("progress on a terminal");

/** A screen that keeps what was written, and shows it as a terminal of one line would. */
class FakeScreen {
  text = "";
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(isTTY: boolean, columns: number) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }

  /** The lines as a person sees them in the end. */
  get lines(): string[] {
    const lines = this.text.split("\n").map((line) => line.slice(line.lastIndexOf("\r") + 1));
    return lines.map((line) => stripVTControlCharacters(line));
  }
}

const place = { index: 4, number: 3, count: 12, cell: code("\n  const history = await program.fit(train)\nhistory") };
const finished = (status: CellRun["status"]): CellRun => ({ index: 4, number: 3, status, seconds: 12.34 });
const message = (type: string, content: object): KernelMessage.IIOPubMessage =>
  ({ header: { msg_type: type }, content }) as unknown as KernelMessage.IIOPubMessage;
const wait = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

test("a cell leaves one line: its number, its first line that says something, its seconds", () => {
  const screen = new FakeScreen(false, 100);
  const reporter = new ProgressReporter(screen);
  reporter.hear({ kind: "cell-started", place });
  reporter.hear({ kind: "cell-finished", place, run: finished("ok") });
  assert.equal(screen.lines.length, 2);
  assert.match(screen.lines[0], /^ {2}\[ 3\/12\] const history = await program\.fit\(train\) +12\.3 s$/);
});

test("a failed cell says so, and a tolerated one says why the run goes on", () => {
  for (const [status, told] of [
    ["failed", /12\.3 s {2}failed$/],
    ["tolerated", /raised, as its tag allows$/],
  ] as const) {
    const screen = new FakeScreen(false, 100);
    const reporter = new ProgressReporter(screen);
    reporter.hear({ kind: "cell-started", place });
    reporter.hear({ kind: "cell-finished", place, run: finished(status) });
    assert.match(screen.lines[0], told);
  }
});

const news: [what: string, type: string, content: object, told: RegExp | null][] = [
  ["the last line that it prints", "stream", { name: "stdout", text: "epoch 1\nepoch 2\n\n" }, /epoch 2$/],
  ["what it wrote over the line before", "stream", { name: "stdout", text: "10 %\r\x1b[32m20 %\x1b[0m" }, / {2}20 %$/],
  [
    "a display that it updates",
    "update_display_data",
    { data: { "text/plain": "█████ 3/5" }, transient: { display_id: "bar" } },
    /█████ 3\/5$/,
  ],
  ["not a display that stays", "display_data", { data: { "text/plain": "a figure" }, transient: {} }, null],
];
for (const [what, type, content, told] of news) {
  test(`the line of a running cell is rewritten in place and carries ${what}`, async () => {
    const screen = new FakeScreen(true, 90);
    const reporter = new ProgressReporter(screen);
    reporter.hear({ kind: "cell-started", place });
    reporter.hear({ kind: "message", place, message: message(type, content) });
    await wait(250);
    const line = screen.lines.at(-1) ?? "";
    assert.not.ok(screen.text.includes("\n"));
    assert.match(line, told ?? /s$/);
    reporter.stop();
    assert.is(screen.lines.at(-1), "");
  });
}

test("no line is wider than the screen, wide characters counted twice", async () => {
  for (const columns of [30, 60, 200]) {
    const screen = new FakeScreen(true, columns);
    const reporter = new ProgressReporter(screen);
    reporter.hear({ kind: "cell-started", place: { ...place, cell: code("層".repeat(300)) } });
    reporter.hear({ kind: "message", place, message: message("stream", { text: "損失".repeat(300) }) });
    await wait(250);
    reporter.stop();
    for (const line of screen.text.split("\r").map((text) => stripVTControlCharacters(text))) {
      const width = [...line].reduce((sum, character) => sum + (character.codePointAt(0)! > 0x2e80 ? 2 : 1), 0);
      assert.ok(width < Math.max(columns, 40), `${width} in ${columns}: ${line}`);
    }
  }
});

test.run();

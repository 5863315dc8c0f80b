import * as assert from "uvu/assert";
import { ansiToHtml } from "../../../kernel/headless/page/ansi.ts";
import { suite } from "../../support/suite.ts";

const test = suite("terminal text as HTML");

const cases: [what: string, text: string, html: string][] = [
  ["plain text is escaped", `<a & "b">`, "&lt;a &amp; &quot;b&quot;&gt;"],
  ["a named colour becomes a class", "\x1b[31mred\x1b[0m!", '<span class="ansi-fg-1">red</span>!'],
  ["bright colours are the second eight", "\x1b[92mg\x1b[39m.", '<span class="ansi-fg-10">g</span>.'],
  ["backgrounds have classes of their own", "\x1b[44;97mx\x1b[49;39my", '<span class="ansi-fg-15 ansi-bg-4">x</span>y'],
  [
    "attributes add up and are taken back one by one",
    "\x1b[1;3ma\x1b[22mb\x1b[23mc",
    '<span class="ansi-bold ansi-italic">a</span><span class="ansi-italic">b</span>c',
  ],
  ["an empty code resets", "\x1b[4ma\x1b[mb", '<span class="ansi-underline">a</span>b'],
  ["256 colours: the first sixteen are the named ones", "\x1b[38;5;9mx", '<span class="ansi-fg-9">x</span>'],
  ["256 colours: the cube", "\x1b[38;5;208mx", '<span style="color:rgb(255 135 0)">x</span>'],
  ["256 colours: the greys", "\x1b[48;5;232mx", '<span style="background-color:rgb(8 8 8)">x</span>'],
  [
    "true colour, and what follows it",
    "\x1b[38;2;1;2;3;1mx",
    '<span class="ansi-bold" style="color:rgb(1 2 3)">x</span>',
  ],
  ["true colour written with colons", "\x1b[38:2::1:2:3mx", '<span style="color:rgb(1 2 3)">x</span>'],
  ["inverse swaps the two", "\x1b[31;42;7mx", '<span class="ansi-fg-2 ansi-bg-1">x</span>'],
  [
    "cursor movements, titles and links vanish",
    "a\x1b[2K\x1b[1Gb\x1b]0;title\x07c\x1b]8;;http://x\x1b\\d\x1b]8;;\x1b\\",
    "abcd",
  ],
  ["a carriage return takes back the line so far", "10 %\r50 %\r100 %\ndone\r\n", "100 %\ndone\n"],
  ["a backspace takes back a character, and never a line end", "ab\b\bc\n\bd", "c\n\bd"],
];
for (const [what, text, html] of cases) test(what, () => assert.is(ansiToHtml(text), html));

test("a long coloured log is converted in linear time", () => {
  const line = "\x1b[32mok\x1b[0m a line of some length that says little\r\n";
  assert.is(ansiToHtml(line.repeat(50_000)).split("ansi-fg-2").length, 50_001);
});

test("so is one line of great length", () => {
  const text = "x".repeat(2_000_000);
  assert.is(ansiToHtml(`${text}\r${text}`).length, text.length);
});

test.run();

import { escapeHtml } from "./html.ts";

/** What the Select Graphic Rendition codes seen so far add up to. Colours are an index below 16 or CSS. */
interface Look {
  readonly foreground?: number | string;
  readonly background?: number | string;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly strike?: boolean;
  readonly inverse?: boolean;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what introduces a sequence
const sequence = /\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]/g;

/**
 * Terminal text as HTML: colours become classes (the sixteen named ones, so that a style sheet decides how they look on
 * light and dark) or inline styles (256 and true colour); other escape sequences vanish; a carriage return or backspace
 * takes back what a terminal would have overwritten.
 */
export function ansiToHtml(text: string): string {
  let html = "";
  let look: Look = {};
  let from = 0;
  const shown = takeBack(text);
  for (const match of shown.matchAll(sequence)) {
    html += dress(shown.slice(from, match.index), look);
    from = match.index + match[0].length;
    if (match[1] !== undefined) look = apply(look, match[1]);
  }
  return html + dress(shown.slice(from), look);
}

/** Takes back what `\b` and `\r` overwrite: the character before, the line so far. */
function takeBack(text: string): string {
  let shown = text;
  for (let before = -1; shown.length !== before; ) {
    before = shown.length;
    shown = shown.replace(/[^\n\b][\b]/g, "");
  }
  if (!shown.includes("\r")) return shown;
  const lines = shown.split("\n").map((line) => line.replace(/\r+$/, ""));
  return lines.map((line) => line.slice(line.lastIndexOf("\r") + 1)).join("\n");
}

function apply(look: Look, codes: string): Look {
  // `38:2::r:g:b` and `38;2;r;g;b` say the same.
  const numbers = codes.replaceAll("::", ":").split(/[;:]/).map(Number);
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at];
    if (code === 0) look = {};
    else if (code === 1) look = { ...look, bold: true };
    else if (code === 2) look = { ...look, dim: true };
    else if (code === 3) look = { ...look, italic: true };
    else if (code === 4) look = { ...look, underline: true };
    else if (code === 7) look = { ...look, inverse: true };
    else if (code === 9) look = { ...look, strike: true };
    else if (code === 22) look = { ...look, bold: false, dim: false };
    else if (code === 23) look = { ...look, italic: false };
    else if (code === 24) look = { ...look, underline: false };
    else if (code === 27) look = { ...look, inverse: false };
    else if (code === 29) look = { ...look, strike: false };
    else if (code >= 30 && code <= 37) look = { ...look, foreground: code - 30 };
    else if (code >= 90 && code <= 97) look = { ...look, foreground: code - 82 };
    else if (code === 39) look = { ...look, foreground: undefined };
    else if (code >= 40 && code <= 47) look = { ...look, background: code - 40 };
    else if (code >= 100 && code <= 107) look = { ...look, background: code - 92 };
    else if (code === 49) look = { ...look, background: undefined };
    else if (code === 38 || code === 48) {
      const isIndexed = numbers[at + 1] === 5;
      const rest = numbers.slice(at + 2, at + (isIndexed ? 3 : 5));
      const colour = isIndexed ? indexed(rest[0] ?? 0) : `rgb(${rest.join(" ")})`;
      look = code === 38 ? { ...look, foreground: colour } : { ...look, background: colour };
      at += 1 + rest.length;
    }
  }
  return look;
}

/** A colour of the 256-colour palette: 16 named, a 6×6×6 cube, 24 greys. */
function indexed(index: number): number | string {
  if (index < 16) return index;
  if (index >= 232)
    return `rgb(${Array(3)
      .fill(8 + 10 * (index - 232))
      .join(" ")})`;
  const steps = [0, 95, 135, 175, 215, 255];
  const cube = index - 16;
  return `rgb(${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) => steps[step]).join(" ")})`;
}

function dress(text: string, look: Look): string {
  if (text === "") return "";
  const classes: string[] = [];
  const styles: string[] = [];
  const [foreground, background] = look.inverse
    ? [look.background ?? "var(--paper)", look.foreground ?? "var(--ink)"]
    : [look.foreground, look.background];
  const paint = (colour: number | string | undefined, name: string, property: string): void => {
    if (typeof colour === "number") classes.push(`ansi-${name}-${colour}`);
    else if (colour !== undefined) styles.push(`${property}:${colour}`);
  };
  paint(foreground, "fg", "color");
  paint(background, "bg", "background-color");
  for (const trait of ["bold", "dim", "italic", "underline", "strike"] as const) {
    if (look[trait]) classes.push(`ansi-${trait}`);
  }
  if (classes.length + styles.length === 0) return escapeHtml(text);
  const attributes = [
    classes.length > 0 ? ` class="${classes.join(" ")}"` : "",
    styles.length > 0 ? ` style="${styles.join(";")}"` : "",
  ];
  return `<span${attributes.join("")}>${escapeHtml(text)}</span>`;
}

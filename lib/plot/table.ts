import { formatCount } from "./look/format.ts";
import { mostTableRows } from "./look/limits.ts";
import type { MimeBundle } from "./mime.ts";

/** A number as people write it, perhaps with a spread or a unit behind it: `−1,234.5`, `2.29 ± 0.04`, `< 5 %`, `97.5 MiB`. */
const isNumber = /^[−<~≤≥]?\s?[\d.,]+(e[+-]?\d+)?(\s?[±×%].*| [kKMGTµmn]?i?[BsJ])?$/;

/** So many letters of a column of words stay on one line, if they can, and so many of a caption above a narrow table. */
const mostWordsWidth = 16;
const mostCaptionWidth = 80;

/** A row of a table: what stands in each column, by the column's heading. */
export type TableRow = Readonly<Record<string, string | number | undefined>>;

/**
 * Rows and columns of numbers and words, which shows itself as a table wherever it is printed; of more than 500 rows the
 * first and last ones.
 */
export class Table {
  readonly kind = "table";
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];

  constructor(title: string, rows: readonly TableRow[]) {
    this.title = title;
    this.rows = rows;
    this.columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  }

  /** The table as text in columns of equal width: words to the left, numbers to the right. */
  toString(): string {
    const cells = [this.columns, ...this.#shownRows()];
    const widths = this.columns.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
    const line = (row: readonly string[]): string =>
      row
        .map((cell, column) => (this.#isNumeric(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
        .join("  ")
        .trimEnd();
    const [head, ...body] = cells.map(line);
    const rule = widths.map((width) => "─".repeat(width)).join("  ");
    return [...(this.title === "" ? [] : [this.title, ""]), head, rule, ...body].join("\n");
  }

  /** The protocol by which a kernel shows a value. */
  [Symbol.for("Jupyter.display")](): MimeBundle {
    return this.display();
  }

  /** What a kernel shows. */
  display(): MimeBundle {
    return this.bundle();
  }

  /** All forms of the table by MIME type: HTML and text. */
  bundle(): MimeBundle {
    const shown = this.#shownRows();
    const row = (tag: "td" | "th", cells: readonly string[], style: (column: number) => string): string =>
      `<tr>${cells.map((cell, column) => `<${tag} style="${style(column)}">${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
    // Headings may break, numbers may not, and words only where they are many.
    const head = row("th", this.columns, (column) => {
      const longest = Math.max(...shown.map((cells) => cells[column].length), 0);
      const align = this.#isNumeric(column) ? "right" : `left;min-width:${Math.min(longest, mostWordsWidth)}ch`;
      return `text-align:${align};vertical-align:bottom;white-space:normal`;
    });
    const body = shown.map((cells) =>
      row("td", cells, (column) => `text-align:${this.#isNumeric(column) ? "right;white-space:nowrap" : "left"}`),
    );
    const wrap = this.title.length > mostCaptionWidth ? "" : ";white-space:nowrap";
    const caption =
      this.title === "" ? "" : `<caption style="text-align:left${wrap}">${escapeHtml(this.title)}</caption>`;
    const html = `<table>${caption}<thead>${head}</thead><tbody>${body.join("")}</tbody></table>`;
    return { "text/html": html, "text/plain": this.toString() };
  }

  /** What `console.log` prints. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** The cells of all rows; of a long table those of the first and last ones, and between them how many there are more. */
  #shownRows(): readonly (readonly string[])[] {
    const cells = (rows: readonly TableRow[]): string[][] =>
      rows.map((row) => this.columns.map((column) => show(row[column])));
    if (this.rows.length <= mostTableRows) return cells(this.rows);
    const half = mostTableRows / 2;
    const told = `… ${formatCount(this.rows.length - mostTableRows)} more rows`;
    const between = this.columns.map((_, column) => (column === 0 ? told : "…"));
    return [...cells(this.rows.slice(0, half)), between, ...cells(this.rows.slice(-half))];
  }

  #isNumeric(column: number): boolean {
    const name = this.columns[column];
    return this.rows.every(
      ({ [name]: value }) => value === undefined || value === "" || typeof value === "number" || isNumber.test(value),
    );
  }
}

/**
 * Shows rows of words and numbers as a table; columns are the rows' keys, in the order of their first appearance.
 *
 * @param title stands above the table; may be empty
 */
export function table(rows: readonly TableRow[], title = ""): Table {
  return new Table(title, rows);
}

function show(value: string | number | undefined): string {
  if (value === undefined) return "–";
  return typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 6 }) : value;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

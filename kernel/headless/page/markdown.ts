import { extname } from "node:path";
import MarkdownIt from "markdown-it";
import { highlight } from "./highlight.ts";
import { dataAddress, escapeHtml } from "./html.ts";
import { mathPlugin } from "./math.ts";

/** A heading of the page, for its table of contents. */
export interface Heading {
  /** 1 to 6. */
  readonly level: number;
  readonly id: string;
  readonly text: string;
}

/** Finds the bytes of a picture that prose refers to, by the address it uses; nothing if there are none. */
export type PictureFinder = (address: string) => { readonly mime: string; readonly bytes: Uint8Array } | undefined;

/** Renders the prose of one page, and gathers its headings as it goes. */
export interface Prose {
  readonly headings: readonly Heading[];
  render(source: string, findPicture: PictureFinder): string;
}

const pictureMimes: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".gif": "image/gif",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".avif": "image/avif",
};

/** The MIME type of a picture file by its name, or nothing if the name is not a picture's. */
export function pictureMime(name: string): string | undefined {
  return pictureMimes[extname(name).toLowerCase()];
}

/** Begins the prose of a page. */
export function createProse(): Prose {
  const headings: Heading[] = [];
  const ids = new Set<string>();
  const markdown = new MarkdownIt({ html: true, linkify: true, highlight });
  markdown.use(mathPlugin);
  const { rules } = markdown.renderer;

  rules.heading_open = (tokens, index, options, _env, self) => {
    const text = (tokens[index + 1].children ?? [])
      .map(({ type, content }) => (type === "html_inline" ? "" : content))
      .join("")
      .trim();
    if (text === "") return self.renderToken(tokens, index, options);
    // Jupyter's own rule for anchors, so that links within a notebook lead somewhere here too.
    const anchor = text.replaceAll(" ", "-");
    let id = anchor;
    for (let copy = 2; ids.has(id); copy++) id = `${anchor}-${copy}`;
    ids.add(id);
    headings.push({ level: Number(tokens[index].tag.slice(1)), id, text });
    tokens[index].attrSet("id", id);
    return self.renderToken(tokens, index, options);
  };

  rules.image = (tokens, index, options, env, self) => {
    const findPicture = env?.findPicture as PictureFinder;
    const token = tokens[index];
    const address = String(token.attrGet("src") ?? "");
    const alternative = self.renderInlineAsText(token.children ?? [], options, env);
    const picture = address.startsWith("data:") ? undefined : findPicture(address);
    const source = picture ? dataAddress(picture.mime, picture.bytes) : address;
    const title = token.attrGet("title");
    const caption = title === null ? "" : ` title="${escapeHtml(String(title))}"`;
    if (source.startsWith("data:")) {
      return `<img src="${escapeHtml(source)}" alt="${escapeHtml(alternative)}"${caption}>`;
    }
    // The page fetches nothing: a picture that cannot be embedded is a link to it.
    return `<a href="${escapeHtml(address)}"${caption}>${escapeHtml(alternative || address)}</a>`;
  };

  // A wide table scrolls in a box of its own.
  rules.table_open = () => '<div class="wide"><table>\n';
  rules.table_close = () => "</table></div>\n";

  return { headings, render: (source, findPicture) => markdown.render(source, { findPicture }) };
}

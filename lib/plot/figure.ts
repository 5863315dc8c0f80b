import { toBase64 } from "./base64.ts";
import type { DrawnFigure, FigureContent } from "./figure-content.ts";
import { type Details, offerDetails } from "./live-details.ts";
import { drawCard } from "./look/canvas.ts";
import { type Theme, themes } from "./look/theme.ts";
import { type MimeBundle, type MimeMetadata, tesseraMime } from "./mime.ts";
import { nameDetails, type Payload, packPayload } from "./payload.ts";

/** Pixels of the raster form for one of the drawing: sharp on fine screens. */
const pixelRatio = 2;
/** Pixels for one of the drawing, and quality, of JPEG files from best to smallest. */
const jpegForms = [
  [2, 82],
  [1.5, 80],
  [1, 80],
  [1, 50],
] as const;
/** A stored output stays below one million bytes: classic servers cut off what is longer. */
const bundleLimit = 950_000;

/**
 * A figure: a static picture that needs no browser, and where there is one an interactive form. As the last expression
 * of a notebook cell it shows itself.
 */
export class Figure implements DrawnFigure {
  readonly kind: string;
  readonly title: string;
  readonly summary: string;
  readonly content: FigureContent;
  #svg: Promise<string> | undefined;

  constructor(content: FigureContent) {
    this.kind = content.kind;
    this.title = content.picture.title;
    this.summary = content.summary;
    this.content = content;
  }

  /** The colours in which the picture is drawn. */
  get theme(): Theme {
    return themes[this.content.theme ?? "light"];
  }

  /** The picture as an SVG document, drawn without a browser. */
  svg(): Promise<string> {
    this.#svg ??= import("./static/document.ts").then(({ drawInDocument }) =>
      drawInDocument((document) => drawCard(document, this.content.picture, this.theme, this.summary)),
    );
    return this.#svg;
  }

  /** The picture as a PNG file, lettered in the shipped font; `scale` pixels for one of the SVG. */
  async png(scale = pixelRatio): Promise<Uint8Array> {
    const { rasterise } = await import("./static/rasterise.ts");
    return rasterise(await this.svg(), scale);
  }

  /**
   * All forms of the figure by MIME type: interactive, PNG or JPEG, text. Below one million bytes: a larger picture is
   * stored at half its resolution, a larger interactive form at the finest of its levels of detail that has room; without
   * any it is left out, and the text says so.
   */
  async bundle(): Promise<MimeBundle> {
    const { interactive, dense } = this.content;
    const [pictureMime, picture] = dense
      ? ["image/jpeg", await this.#jpeg(interactive === undefined ? 0.7 : 0.35)]
      : ["image/png", await this.#smallPng()];
    if (interactive === undefined) return { [pictureMime]: picture, "text/plain": this.summary };
    let size = 0;
    for (const level of [() => interactive.data, ...(interactive.coarser ?? [])]) {
      const stored = interactive.mime === tesseraMime ? await packPayload(this.kind, level()) : level();
      size = JSON.stringify(stored).length;
      if (size + picture.length > bundleLimit) continue;
      return {
        [interactive.mime]: interactive.details ? await this.#offer(stored as Payload, interactive.details) : stored,
        [pictureMime]: picture,
        "text/plain": this.summary,
      };
    }
    const note = `interactive form left out: ${size.toLocaleString("en")} bytes are too many to store in a notebook`;
    return { [pictureMime]: picture, "text/plain": `${this.summary} (${note})` };
  }

  async #offer(stored: Payload, details: Details): Promise<Payload> {
    const named = await nameDetails(stored);
    offerDetails(named.details, details);
    return named;
  }

  async #smallPng(): Promise<string> {
    const png = toBase64(await this.png());
    return png.length > bundleLimit / 2 ? toBase64(await this.png(1)) : png;
  }

  /** The sharpest and finest JPEG, in base64, that takes no more than a share of a bundle. */
  async #jpeg(share: number): Promise<string> {
    const [{ rasteriseDense }, svg] = await Promise.all([import("./static/rasterise.ts"), this.svg()]);
    for (const [scale, quality] of jpegForms) {
      const jpeg = toBase64(rasteriseDense(svg, scale, quality, this.theme.card));
      if (jpeg.length <= share * bundleLimit) return jpeg;
    }
    throw new Error(
      `figure: a stored picture must stay below ${bundleLimit} bytes, got more even as a small JPEG (${this.title}); save it to a file`,
    );
  }

  /**
   * Writes the figure to a file. The ending says in which form: `.png`, `.svg` and `.jpg` the
   * picture, `.html` a page of its own with the interactive form, `.json` the data that the interactive form is drawn from.
   */
  async save(path: string): Promise<void> {
    const { saveFigure } = await import("./static/save.ts");
    await saveFigure(this, path);
  }

  /**
   * What a kernel shows: the bundle, and the size at which its picture is to stand, which has more pixels than that so that it
   * stays sharp on fine screens.
   */
  async display(): Promise<readonly [MimeBundle, MimeMetadata]> {
    const { width, height } = cardSize(await this.svg());
    return [await this.bundle(), { [this.content.dense ? "image/jpeg" : "image/png"]: { width, height } }];
  }

  /** The protocol by which a kernel shows a value. */
  [Symbol.for("Jupyter.display")](): Promise<readonly [MimeBundle, MimeMetadata]> {
    return this.display();
  }

  /** What `console.log` prints. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.summary;
  }

  toString(): string {
    return this.summary;
  }
}

/** The size that a card's own tag tells. */
function cardSize(svg: string): { readonly width: number; readonly height: number } {
  const tag = svg.slice(0, svg.indexOf(">"));
  const read = (name: string): number => Number(new RegExp(` ${name}="([\\d.]+)"`).exec(tag)?.[1]);
  return { width: read("width"), height: read("height") };
}

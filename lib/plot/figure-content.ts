import type { Details } from "./live-details.ts";
import type { Picture } from "./look/canvas.ts";
import type { Theme } from "./look/theme.ts";
import type { MimeBundle, plotlyMime, tesseraMime } from "./mime.ts";

/** What a figure is made of. */
export interface FigureContent {
  /** What is shown: the kind of the report, or the name of the function that drew it. */
  readonly kind: string;
  readonly picture: Picture;
  /** True of a picture with as many colours as a photograph: it is stored as a JPEG, since its PNG would be too large. */
  readonly dense?: boolean;
  /** The colours of the picture, wherever it stands; light unless told otherwise. */
  readonly theme?: Theme["name"];
  /** One line that says what the picture shows; it stands where no picture can, and is the picture's alternative text. */
  readonly summary: string;
  /** What a browser draws; without it a figure is a picture only. */
  readonly interactive?: InteractiveForm;
}

/** What an interactive form is drawn from. */
export interface InteractiveForm {
  readonly mime: typeof tesseraMime | typeof plotlyMime;
  /** Plain data. */
  readonly data: unknown;
  /** Coarser levels of detail, ever smaller, for a notebook in which the data have no room. */
  readonly coarser?: readonly (() => unknown)[];
  /** Answers a page that asks a living kernel for what the level that was stored leaves out. */
  readonly details?: Details;
}

/** A figure as those see it that write it to files. */
export interface DrawnFigure {
  readonly kind: string;
  readonly title: string;
  readonly summary: string;
  readonly content: FigureContent;
  readonly theme: Theme;
  svg(): Promise<string>;
  png(scale?: number): Promise<Uint8Array>;
  bundle(): Promise<MimeBundle>;
}

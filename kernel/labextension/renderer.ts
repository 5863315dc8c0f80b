// The JupyterLab side of figures: a MIME renderer in JupyterLab's terms, without its packages. What is drawn comes from
// lib/plot/interactive; how the browser gets this script is in container.ts, how the script is made in build.ts.
import { type Rendered, render } from "../../lib/plot/interactive/render.ts";
import { plotlyMime, tesseraMime } from "../../lib/plot/mime.ts";

/** Asks the kernel of the notebook in which an element stands for details of a figure. */
type AskKernel = (element: HTMLElement, figure: string, request: unknown) => Promise<unknown>;

/** What is used of a Lumino widget, the element of which JupyterLab is built. */
interface Widget {
  readonly node: HTMLElement;
  addClass(name: string): void;
  dispose(): void;
}

/** The module `@lumino/widgets` as far as it is used. */
export interface LuminoWidgets {
  readonly Widget: new () => Widget;
}

/** An output as JupyterLab hands it to a renderer. */
interface MimeModel {
  readonly data: Readonly<Record<string, unknown>>;
}

/** An extension after `@jupyterlab/rendermime-interfaces`. */
export interface MimeExtension {
  readonly id: string;
  readonly description: string;
  readonly rendererFactory: {
    /** Untrusted notebooks are drawn too: nothing in the data is ever run, and text is set as text. */
    readonly safe: true;
    readonly mimeTypes: readonly string[];
    createRenderer(options: { readonly mimeType: string }): Widget & { renderModel(model: MimeModel): Promise<void> };
  };
  readonly rank: number;
  readonly dataType: "json";
}

/** Makes the extension of JupyterLab's own copy of the widgets: a second copy would not hear of its messages. */
export function createExtension(
  { Widget }: LuminoWidgets,
  loadPlotly: () => Promise<unknown>,
  askKernel: AskKernel,
): MimeExtension {
  class FigureRenderer extends Widget {
    readonly #mime: string;
    #figure: Rendered | undefined;

    constructor(mime: string) {
      super();
      this.#mime = mime;
      this.addClass("tessera-figure");
    }

    /** Draws the output, again when a running cell replaces it. */
    async renderModel(model: MimeModel): Promise<void> {
      this.#figure?.dispose();
      this.node.replaceChildren();
      const figure = render(this.node, this.#mime, model.data[this.#mime], {
        plotly: loadPlotly,
        ask: (name, request) => askKernel(this.node, name, request),
      });
      this.#figure = figure;
      try {
        await figure;
      } catch (error) {
        // Unless a later output has taken the place meanwhile.
        if (figure === this.#figure) this.node.textContent = error instanceof Error ? error.message : String(error);
      }
    }

    override dispose(): void {
      this.#figure?.dispose();
      super.dispose();
    }
  }
  return {
    id: "tessera:figures",
    description: "Draws Tessera's memory and graph views, and plotly charts, offline and in untrusted notebooks.",
    rendererFactory: {
      safe: true,
      mimeTypes: [tesseraMime, plotlyMime],
      createRenderer: ({ mimeType }) => new FigureRenderer(mimeType),
    },
    // Before every other form of an output.
    rank: 0,
    dataType: "json",
  };
}

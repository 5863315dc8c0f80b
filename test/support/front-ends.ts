import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import { chromiumArguments, findChromium, findPython } from "./environment.ts";
import { type JupyterServer, startJupyter } from "./jupyter-server.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** JupyterLab, or Notebook 7, which a server of JupyterLab also serves where it is installed. */
export type View = "lab" | "notebook";

/** How the kernel under test is called in menus and in the metadata of notebooks. */
export const kernelTitle = "TypeScript (Tessera)";

/** How long a page may take on a machine with much else to do. */
const patience = 60_000;

/** A notebook that stands open in a page, with its kernel at hand. */
export interface OpenNotebook {
  readonly page: Page;
  /** Its code cells. */
  readonly cells: Locator;
  /** Chooses an item of the menu bar. */
  choose(menu: string, item: string): Promise<void>;
}

/** A Jupyter server and a browser in which its pages are opened, one after the other. */
export class FrontEnds {
  readonly root: string;
  readonly #server: JupyterServer;
  readonly #context: BrowserContext;

  private constructor(root: string, server: JupyterServer, context: BrowserContext) {
    this.root = root;
    this.#server = server;
    this.#context = context;
  }

  /** Why there can be none on this machine; an empty text if there can. */
  static missing(...modules: readonly string[]): string {
    const found = [findChromium(), findPython("jupyterlab", ...modules)];
    return found.flatMap((each) => ("missing" in each ? [each.missing] : [])).join("; ");
  }

  static async start(): Promise<FrontEnds> {
    const [browserFound, pythonFound] = [findChromium(), findPython("jupyterlab")];
    if ("missing" in browserFound) throw new Error(`front ends: ${browserFound.missing}`);
    if ("missing" in pythonFound) throw new Error(`front ends: ${pythonFound.missing}`);
    const root = temporaryFolder();
    const server = await startJupyter(pythonFound.python, "jupyterlab", root, token);
    const browser = await chromium.launch({ executablePath: browserFound.chromium, args: [...chromiumArguments] });
    // One for all pages: what the first has loaded the others need not load again.
    const context = await browser.newContext({ viewport: { width: 1280, height: 1400 } });
    return new FrontEnds(root, server, context);
  }

  /** Everything that a page asks for must begin with this. */
  get address(): string {
    return this.#server.url;
  }

  /** Writes a notebook of code cells without outputs, or of whole cells, under a name without folder. */
  write(name: string, cells: readonly (string | object)[], kernelName = "tessera"): void {
    const whole = cells.map((cell, index) =>
      typeof cell === "object"
        ? cell
        : { cell_type: "code", id: `cell-${index}`, source: cell, metadata: {}, outputs: [], execution_count: null },
    );
    const metadata = { kernelspec: { name: kernelName, display_name: kernelTitle, language: "typescript" } };
    writeFileSync(join(this.root, name), JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells: whole }));
  }

  /**
   * A page with a notebook in it, whatever its kernel, or without one if it has no name. Closed when `look` is over, and all
   * kernels are ended.
   */
  async open(view: View, name: string, look: (page: Page) => Promise<void>): Promise<void> {
    const page = await this.#context.newPage();
    page.setDefaultTimeout(patience);
    try {
      const place = view === "lab" ? `lab${name && `/tree/${name}`}?reset&` : `notebooks/${name}?`;
      await Promise.all([look(page), page.goto(`${this.#server.url}${place}token=${token}`)]);
    } finally {
      await page.close();
      await this.#endKernels();
    }
  }

  /** The same, as soon as its kernel can run cells. */
  async use(view: View, name: string, look: (notebook: OpenNotebook) => Promise<void>): Promise<void> {
    await this.open(view, name, async (page) => {
      await kernelIsReady(page);
      await look({
        page,
        cells: page.locator(".jp-Notebook .jp-CodeCell"),
        async choose(menu, item) {
          await page.locator(".lm-MenuBar-itemLabel").getByText(menu, { exact: true }).first().click();
          await page.locator(".lm-Menu-itemLabel").getByText(item, { exact: true }).first().click();
        },
      });
    });
  }

  async stop(): Promise<void> {
    await this.#context.browser()?.close();
    this.#server.stop();
  }

  /** A page that is closed leaves its kernel running. */
  async #endKernels(): Promise<void> {
    const headers = { authorization: `token ${token}` };
    const sessions = (await (await fetch(`${this.#server.url}api/sessions`, { headers })).json()) as { id: string }[];
    for (const { id } of sessions) await fetch(`${this.#server.url}api/sessions/${id}`, { method: "DELETE", headers });
  }
}

const token = "token-of-the-tests";

/**
 * Resolves when the kernel has answered the page and the page shows it. Before that, cells are run on no kernel at all,
 * which to JupyterLab means: not run, without a word.
 */
async function kernelIsReady(page: Page): Promise<void> {
  await new Promise<void>((answered) => {
    page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => {
        if (payload.includes("kernel_info_reply")) answered();
      }),
    );
  });
  await page.locator(".jp-Toolbar-kernelName", { hasText: kernelTitle }).first().waitFor();
  await page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first().waitFor();
}

/** The brackets beside a cell: `[*]` while it runs, `[7]` afterwards. */
export function prompt(cell: Locator): Locator {
  return cell.locator(".jp-InputPrompt").first();
}

/** What stands below a cell. */
export function output(cell: Locator): Locator {
  return cell.locator(".jp-OutputArea-output");
}

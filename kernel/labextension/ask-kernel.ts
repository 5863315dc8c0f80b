// How a figure on a page reaches the kernel that made it, in JupyterLab's terms and without its packages: the notebook in
// which the figure stands has a session with a kernel, and a comm carries one question and its answer. What is asked is
// said by lib/plot/interactive, what answers by kernel/preload.ts.
import { detailsTarget } from "../../lib/plot/mime.ts";

/** A comm after `@jupyterlab/services`, as far as it is used. */
interface Comm {
  onClose: (message: { readonly content: { readonly data?: Readonly<Record<string, unknown>> } }) => void;
  open(data: unknown): unknown;
}

interface Kernel {
  readonly status: string;
  createComm(target: string): Comm;
}

/** A document or console in JupyterLab's main area. */
interface Panel {
  readonly node: HTMLElement;
  readonly sessionContext?: { readonly session?: { readonly kernel?: Kernel | null } | null };
}

/** JupyterLab's application, or Notebook's. */
export interface Application {
  readonly shell: { widgets(area: string): Iterable<Panel> };
}

/** How long a kernel may take to answer, in milliseconds: it may be busy with a cell. */
const patience = 60_000;

/**
 * Makes the function that asks kernels. Its answer is null where no kernel knows the figure: there is none, it was
 * restarted, or it speaks another language.
 */
export function createAsk(
  findApplication: () => Application | undefined,
): (element: HTMLElement, figure: string, request: unknown) => Promise<unknown> {
  return async (element, figure, request) => {
    const panels = findApplication()?.shell.widgets("main") ?? [];
    const kernel = [...panels].find(({ node }) => node.contains(element))?.sessionContext?.session?.kernel;
    if (!kernel || kernel.status === "dead" || kernel.status === "unknown") return null;
    const comm = kernel.createComm(detailsTarget);
    return new Promise((answered, failed) => {
      const tooLong = setTimeout(
        () => failed(new Error(`figure: a kernel must answer within ${patience / 1000} s, got nothing; try again`)),
        patience,
      );
      comm.onClose = ({ content: { data = {} } }) => {
        clearTimeout(tooLong);
        if (typeof data.error === "string") failed(new Error(data.error));
        // A kernel without this target closes the comm with nothing.
        else answered(data.answer ?? null);
      };
      comm.open({ figure, request });
    });
  };
}

// The script that JupyterLab loads: a module-federation container, made by hand because it is so little. JupyterLab calls
// `init` with the modules that it shares, then `get` for the module named in our package.json.
import { type Application, createAsk } from "./ask-kernel.ts";
import { leaveKeysToControls } from "./control-keys.ts";
import { createExtension, type LuminoWidgets } from "./renderer.ts";

/** Modules by name, then by version; each is fetched when it is first wanted. */
type SharedModules = Readonly<Record<string, Readonly<Record<string, { get(): Promise<() => unknown> }>>>>;

declare global {
  interface Window {
    _JUPYTERLAB?: Record<string, unknown>;
  }
  /** The file name of the chunk with plotly, filled in by build.ts. */
  const PLOTLY_CHUNK: string;
}

// Only while this script runs for the first time does the page know where it came from.
const scriptUrl = (document.currentScript as HTMLScriptElement).src;
let shared: SharedModules = {};
let application: Application | undefined;

async function sharedModule(name: string): Promise<unknown> {
  const versions = Object.values(shared[name] ?? {});
  if (versions.length === 0) {
    throw new Error(`tessera: JupyterLab must share ${name}, got none; this extension needs JupyterLab 4`);
  }
  return (await versions[versions.length - 1].get())();
}

let plotly: Promise<unknown> | undefined;

/** Plotly is large, and fetched with the first chart. */
function loadPlotly(): Promise<unknown> {
  plotly ??= import(new URL(PLOTLY_CHUNK, scriptUrl).href).then((module: { default: unknown }) => module.default);
  return plotly;
}

window._JUPYTERLAB ??= {};
window._JUPYTERLAB.tessera = {
  init(modules: SharedModules): void {
    shared = modules;
  },
  async get(name: string): Promise<() => unknown> {
    if (name === "./extension") {
      // A plugin beside the renderer: only plugins are handed the application, through which notebooks are found.
      const plugin = {
        id: "tessera:details",
        description: "Lets Tessera's figures ask the notebook's kernel for details, and controls have their keys.",
        autoStart: true,
        activate: (found: Application): void => {
          application = found;
          leaveKeysToControls(window);
        },
      };
      return () => ({ __esModule: true, default: plugin });
    }
    if (name !== "./mimeExtension") {
      throw new Error(`tessera: the extension has ./mimeExtension and ./extension, got ${name}`);
    }
    const extension = createExtension(
      (await sharedModule("@lumino/widgets")) as LuminoWidgets,
      loadPlotly,
      createAsk(() => application),
    );
    return () => ({ __esModule: true, default: extension });
  },
};

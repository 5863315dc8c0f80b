import { userInfo } from "node:os";
import {
  type Kernel,
  KernelAPI,
  KernelConnection,
  type KernelSpec,
  KernelSpecAPI,
  ServerConnection,
} from "@jupyterlab/services";
import { BadInput } from "./bad-input.ts";

/**
 * Where kernels come from. The runner sees a kernel only through @jupyterlab/services, so that a kernel in this process
 * and one behind a Jupyter server are the same to it: they differ in these three values.
 */
export interface KernelSource {
  readonly settings: ServerConnection.ISettings;
  readonly kernels: Kernel.IKernelAPIClient;
  readonly specs: KernelSpec.IKernelSpecAPIClient;
}

/** A source of kernels that would not give one: a quota, a permission, a server that has gone. */
export class KernelRefused extends Error {
  override name = "KernelRefused";
}

/** Starts a kernel of that source and connects to it. The caller ends it with `connection.shutdown()`. */
export async function startKernel(source: KernelSource, name: string): Promise<Kernel.IKernelConnection> {
  return connectKernel(source, await source.kernels.startNew({ name }));
}

/** Connects to a kernel that runs. */
export function connectKernel(source: KernelSource, model: Kernel.IModel): Kernel.IKernelConnection {
  return new KernelConnection({
    model,
    serverSettings: source.settings,
    kernelAPIClient: source.kernels,
    kernelSpecAPIClient: source.specs,
    // Nobody sits in front of a headless run to answer a comm.
    handleComms: false,
  });
}

/**
 * Kernels behind a Jupyter Server, a JupyterHub user's server or an Enterprise Gateway.
 *
 * @param folder where they work, as the server's file browser names it; the server takes the nearest folder above that
 * it has, and a gateway, which has no files, takes none
 */
export function serverKernels(url: string, token: string, folder = ""): KernelSource {
  let baseUrl: string;
  try {
    baseUrl = new URL(url).href;
  } catch {
    throw new BadInput(`server: must be an address, got ${url}, give one such as http://localhost:8888`);
  }
  const settings = ServerConnection.makeSettings({
    baseUrl,
    wsUrl: baseUrl.replace(/^http/, "ws"),
    token,
    appendToken: true,
  });
  return {
    settings,
    kernels: new KernelsInFolder(settings, folder),
    specs: new KernelSpecAPI.KernelSpecAPIClient({ serverSettings: settings }),
  };
}

/**
 * The client asks for a kernel by name alone. A server's interface takes a folder, too, and a gateway's an environment:
 * variables that begin with `KERNEL_`, by whose `KERNEL_USERNAME` it knows for whom the kernel is and whether he may.
 */
class KernelsInFolder extends KernelAPI.KernelAPIClient {
  readonly #folder: string;

  constructor(serverSettings: ServerConnection.ISettings, folder: string) {
    super({ serverSettings });
    this.#folder = folder;
  }

  override async startNew(options: Kernel.IKernelOptions = {}): Promise<Kernel.IModel> {
    const own = Object.entries(process.env).filter(([name]) => name.startsWith("KERNEL_"));
    const env = { KERNEL_USERNAME: userInfo().username, ...Object.fromEntries(own) };
    const request = { ...options, path: this.#folder, env };
    try {
      return await super.startNew(request);
    } catch (error) {
      throw new KernelRefused(`server: must start a kernel, got ${complaint(error)} (${this.serverSettings.baseUrl})`);
    }
  }
}

/** What a server said, or what kept it from saying anything. */
function complaint(error: unknown): string {
  const { message, response } = error as Error & { response?: Response };
  if (response === undefined) return message;
  const words = [message, response.statusText].find((text) => text && !text.startsWith("Invalid response"));
  return `${response.status} ${words ?? "without a word"}`;
}

/**
 * The name of the kernel that a server offers for our notebooks.
 *
 * @throws BadInput when the server does not answer, refuses, or has no kernel for TypeScript
 */
export async function findKernelName({ specs, settings }: KernelSource): Promise<string> {
  let offered: KernelSpec.ISpecModels;
  try {
    offered = await specs.get();
  } catch (error) {
    const { status } = (error as { response?: Response }).response ?? {};
    const remedy =
      status === 401 || status === 403 ? "give its token with --token" : "start it, or correct the address";
    throw new BadInput(`server: must answer, got ${complaint(error)} (${settings.baseUrl}), ${remedy}`);
  }
  const names = Object.keys(offered.kernelspecs ?? {});
  const found = names.includes("tessera")
    ? "tessera"
    : names.find((name) => offered.kernelspecs[name]?.language === "typescript");
  if (found !== undefined) return found;
  const got = names.join(", ") || "none";
  throw new BadInput(
    `server: must offer a kernel for TypeScript, got ${got} (${settings.baseUrl}), run tessera install`,
  );
}

import { type Kernel, KernelConnection, type KernelSpec, type ServerConnection } from "@jupyterlab/services";

/**
 * Where kernels come from. The runner sees a kernel only through @jupyterlab/services, so that a kernel in this process
 * and one behind a Jupyter server are the same to it: they differ in these three values.
 */
export interface KernelSource {
  readonly settings: ServerConnection.ISettings;
  readonly kernels: Kernel.IKernelAPIClient;
  readonly specs: KernelSpec.IKernelSpecAPIClient;
}

/** Starts a kernel of that source and connects to it. The caller ends it with `connection.shutdown()`. */
export async function startKernel(source: KernelSource, name: string): Promise<Kernel.IKernelConnection> {
  const model = await source.kernels.startNew({ name });
  return new KernelConnection({
    model,
    serverSettings: source.settings,
    kernelAPIClient: source.kernels,
    kernelSpecAPIClient: source.specs,
    // Nobody sits in front of a headless run to answer a comm.
    handleComms: false,
  });
}

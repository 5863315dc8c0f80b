import { readFileSync } from "node:fs";

/** What a connection file says: where to listen, and the key to sign with. */
export interface ConnectionInfo {
  readonly transport: string;
  readonly ip: string;
  readonly shell_port: number;
  readonly iopub_port: number;
  readonly stdin_port: number;
  readonly control_port: number;
  readonly hb_port: number;
  readonly signature_scheme: string;
  readonly key: string;
}

const ports = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"] as const;

/** Reads a connection file. Throws an error that names what is missing. */
export function readConnectionFile(path: string): ConnectionInfo {
  let info: Partial<ConnectionInfo>;
  try {
    info = JSON.parse(readFileSync(path, "utf8")) as Partial<ConnectionInfo>;
  } catch (error) {
    throw new Error(
      `connection file: must be readable JSON, got ${(error as Error).message} (${path}); start the kernel from a Jupyter front end, which writes one`,
    );
  }
  for (const port of ports) {
    if (!Number.isInteger(info[port])) {
      throw new Error(`connection file: ${port} must be a port number, got ${info[port]} (${path})`);
    }
  }
  const { signature_scheme = "hmac-sha256", key = "", transport = "tcp", ip = "127.0.0.1" } = info;
  if (key !== "" && signature_scheme !== "hmac-sha256") {
    throw new Error(`connection file: signature_scheme must be hmac-sha256, got ${signature_scheme} (${path})`);
  }
  return { ...(info as ConnectionInfo), signature_scheme, key, transport, ip };
}

/** The address of one of the five sockets, as ZeroMQ wants it. */
export function addressOf({ transport, ip }: ConnectionInfo, port: number): string {
  return transport === "ipc" ? `ipc://${ip}-${port}` : `${transport}://${ip}:${port}`;
}

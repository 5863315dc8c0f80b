import { randomUUID } from "node:crypto";
import type { JsonObject } from "../protocol/index.ts";
import { currentCell } from "./cell.ts";
import type { ToRealm } from "./messages.ts";
import { post } from "./port.ts";

/** What came through a comm. */
export interface CommEvent<Data = JsonObject> {
  readonly data: Data;
  readonly buffers: readonly Uint8Array[];
}

/** One end of a line between the notebook and its front end, on which both may speak at any time. */
export interface Comm<Sent extends JsonObject = JsonObject, Received extends JsonObject = JsonObject> {
  readonly id: string;
  readonly target: string;
  send(data: Sent, buffers?: readonly Uint8Array[]): void;
  close(data?: JsonObject): void;
  /** Called with every message of the front end, between the steps of a cell that awaits. */
  onMessage: ((event: CommEvent<Received>) => void) | null;
  onClose: ((event: CommEvent) => void) | null;
}

/** Called when the front end opens a comm to a target of this notebook. */
export type CommTarget = (comm: Comm, event: CommEvent) => void;

const open = new Map<string, Comm>();
const targets = new Map<string, CommTarget>();

function createComm(id: string, target: string): Comm {
  const comm: Comm = {
    id,
    target,
    send(data, buffers = []) {
      post({ type: "comm_msg", cell: currentCell().id, comm_id: id, data, buffers });
    },
    close(data = {}) {
      if (open.delete(id)) post({ type: "comm_close", cell: currentCell().id, comm_id: id, data, buffers: [] });
    },
    onMessage: null,
    onClose: null,
  };
  open.set(id, comm);
  return comm;
}

/** Lines between the notebook and its front end, as sliders and other widgets use them. */
export const comms = {
  /** Opens a comm to a target that the front end knows. */
  open<Sent extends JsonObject = JsonObject, Received extends JsonObject = JsonObject>(
    target: string,
    data: JsonObject = {},
    options: { readonly metadata?: JsonObject; readonly buffers?: readonly Uint8Array[] } = {},
  ): Comm<Sent, Received> {
    const comm = createComm(randomUUID(), target);
    const { metadata = {}, buffers = [] } = options;
    post({ type: "comm_open", cell: currentCell().id, comm_id: comm.id, target_name: target, data, metadata, buffers });
    return comm as unknown as Comm<Sent, Received>;
  },
  /** Lets the front end open comms to this notebook. */
  registerTarget(target: string, opened: CommTarget): void {
    targets.set(target, opened);
  },
};

/** Hands a message of the front end to the comm that it is for. */
export function receiveComm(message: Extract<ToRealm, { type: "comm_open" | "comm_msg" | "comm_close" }>): void {
  const { comm_id: id, data, buffers } = message;
  if (message.type === "comm_open") {
    const opened = targets.get(message.target_name);
    const comm = createComm(id, message.target_name);
    // The protocol asks that a comm without a target be closed at once.
    if (opened === undefined) comm.close();
    else opened(comm, { data, buffers });
    return;
  }
  const comm = open.get(id);
  if (message.type === "comm_msg") comm?.onMessage?.({ data, buffers });
  else if (open.delete(id)) comm?.onClose?.({ data, buffers });
}

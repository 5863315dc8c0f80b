import { type DataStream, flatValues, type Graph, type RemoteBuffer, type Values } from "../graph/index.ts";
import { type HostTensor, tensor } from "../tensor/index.ts";
import {
  allocateElements,
  allocateStored,
  dtypeOf,
  type Elements,
  loadElements,
  type Stored,
  storeElements,
} from "./storage.ts";

/** What the host does at its end of a stream: it gives the next tensor's values, or takes a tensor. */
export type StreamCallback = (() => Values) | ((values: HostTensor) => void);

/** The host's ends of a graph's streams, and the memory of its remote buffers. */
export class HostSide {
  readonly #graph: Graph;
  readonly #callbacks = new Map<DataStream, StreamCallback>();
  readonly #buffers = new Map<RemoteBuffer, Stored>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Remote buffers hold 0 again; streams stay connected. */
  clear(): void {
    this.#buffers.clear();
  }

  connect(stream: DataStream | string, callback: StreamCallback): void {
    const { streams } = this.#graph.outside;
    const found = streams.find((other) => other === stream || other.name === stream);
    if (found === undefined) {
      const known = streams.map(({ name }) => `"${name}"`).join(", ") || "none";
      const got = typeof stream === "string" ? `"${stream}"` : `"${stream.name}" of another graph`;
      throw new Error(`connectStream: the stream must be one of ${known}, got ${got}; correct the name`);
    }
    this.#callbacks.set(found, callback);
  }

  /** The values that the host hands over next. */
  receive(stream: DataStream): ArrayLike<number> {
    const given = this.#call(stream, (callback) => (callback as () => Values)());
    const { elements, name } = stream;
    const shown = { elements, shape: [elements], describe: () => `stream "${name}"` };
    return flatValues(`stream "${name}"`, shown, given);
  }

  /** Hands values over to the host, as a tensor [elements]. */
  send(stream: DataStream, values: Elements): void {
    const sent = tensor(values, { shape: [stream.elements], dtype: dtypeOf[stream.type] });
    this.#call(stream, (callback) => (callback as (values: HostTensor) => void)(sent));
  }

  /** A copy of a row of a remote buffer. */
  readRow(buffer: RemoteBuffer, row: number): Elements {
    const { type, elements } = buffer;
    const values = allocateElements(type, elements);
    const run = { start: row * elements, count: elements, step: 1 };
    loadElements(type, this.#memoryOf(buffer, row), run, values);
    return values;
  }

  /** Replaces a row of a remote buffer. */
  writeRow(buffer: RemoteBuffer, row: number, values: ArrayLike<number>): void {
    const { type, elements } = buffer;
    storeElements(type, this.#memoryOf(buffer, row), { start: row * elements, count: elements, step: 1 }, values);
  }

  /** The memory of a remote buffer that has such a row. */
  #memoryOf(buffer: RemoteBuffer, row: number): Stored {
    const { elements, rows, type, name } = buffer;
    if (!this.#graph.outside.has(buffer)) {
      throw new Error(`remote buffer "${name}": it must be of the engine's graph, got another's; add it there`);
    }
    if (!Number.isSafeInteger(row) || row < 0 || row >= rows) {
      throw new Error(`remote buffer "${name}": rows run from 0 to ${rows - 1}, got ${row}; look at what numbers them`);
    }
    let memory = this.#buffers.get(buffer);
    if (memory === undefined) this.#buffers.set(buffer, (memory = allocateStored(type, elements * rows)));
    return memory;
  }

  #call<T>(stream: DataStream, call: (callback: StreamCallback) => T): T {
    const callback = this.#callbacks.get(stream);
    if (callback === undefined) {
      throw new Error(
        `stream "${stream.name}": it must be connected before it is used, got no callback; call engine.connectStream first`,
      );
    }
    try {
      return call(callback);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `stream "${stream.name}": the host's callback must not fail, got "${reason}"; correct what was given to connectStream`,
        { cause: error },
      );
    }
  }
}

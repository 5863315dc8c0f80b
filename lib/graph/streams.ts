import { type ElementType, elementBytes } from "./element-type.ts";

/** A way from the host to the device, or back, on which tensors of one size are handed over, one at a time. */
export interface DataStream {
  readonly kind: "stream";
  readonly id: number;
  readonly name: string;
  readonly direction: "hostToDevice" | "deviceToHost";
  readonly type: ElementType;
  /** Elements that are handed over at a time. */
  readonly elements: number;
}

/** Memory beside the device, in rows of one size: a device reads and writes whole rows. */
export interface RemoteBuffer {
  readonly kind: "remoteBuffer";
  readonly id: number;
  readonly name: string;
  readonly type: ElementType;
  /** Elements of a row. */
  readonly elements: number;
  readonly rows: number;
}

/** What lies on the other side of a device's border. */
export type Outside = DataStream | RemoteBuffer;

/** How errors and reports call a stream or a remote buffer. */
export function describeOutside(outside: Outside): string {
  const { name, type, elements } = outside;
  if (outside.kind === "stream") return `stream "${name}" ${type} [${elements}]`;
  return `remote buffer "${name}" ${type} [${outside.rows},${elements}]`;
}

/** The streams and remote buffers of one graph. */
export class OutsideTable {
  readonly #streams: DataStream[] = [];
  readonly #buffers: RemoteBuffer[] = [];

  get streams(): readonly DataStream[] {
    return this.#streams;
  }

  get buffers(): readonly RemoteBuffer[] {
    return this.#buffers;
  }

  /** Whether the graph has this very stream or buffer. */
  has(outside: Outside): boolean {
    const all: readonly Outside[] = outside.kind === "stream" ? this.#streams : this.#buffers;
    return all[outside.id] === outside;
  }

  /** @throws Error if the name is taken or the number of elements is none */
  addStream(subject: string, stream: Omit<DataStream, "kind" | "id">): DataStream {
    this.#check(subject, stream);
    const added: DataStream = { kind: "stream", id: this.#streams.length, ...stream };
    this.#streams.push(added);
    return added;
  }

  /** @throws Error if the name is taken or a number is none */
  addBuffer(buffer: Omit<RemoteBuffer, "kind" | "id">): RemoteBuffer {
    this.#check("addRemoteBuffer", buffer);
    if (!isCount(buffer.rows)) {
      throw new Error(
        `addRemoteBuffer: rows must be a whole number ≥ 1, got ${buffer.rows} ("${buffer.name}"); give how often the tensor is held`,
      );
    }
    const added: RemoteBuffer = { kind: "remoteBuffer", id: this.#buffers.length, ...buffer };
    this.#buffers.push(added);
    return added;
  }

  #check(subject: string, { name, type, elements }: Pick<Outside, "name" | "type" | "elements">): void {
    if (!Object.hasOwn(elementBytes, type)) {
      throw new Error(
        `${subject}: the type must be one of ${Object.keys(elementBytes).join(", ")}, got "${type}" ("${name}"); choose one`,
      );
    }
    if (!isCount(elements)) {
      throw new Error(
        `${subject}: elements must be a whole number ≥ 1, got ${elements} ("${name}"); give those of the tensor`,
      );
    }
    if (name === "" || [...this.#streams, ...this.#buffers].some((other) => other.name === name)) {
      throw new Error(
        `${subject}: the host knows a stream by a name of its own, got "${name}"${name === "" ? "" : ", which is taken"}; choose another`,
      );
    }
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

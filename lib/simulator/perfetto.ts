import type { ExecutionReport } from "./report.ts";

// Fields of Perfetto's protos/perfetto/trace: trace.proto, trace_packet.proto, track_event/*.proto.
const trace = { packet: 1 } as const;
const packet = { timestamp: 8, sequence: 10, event: 11, descriptor: 60 } as const;
const descriptor = { uuid: 1, name: 2, process: 3, parent: 5, counter: 8 } as const;
const process = { pid: 1, name: 6 } as const;
const counter = { unitName: 6 } as const;
const event = { annotations: 4, type: 9, track: 11, name: 23, counterValue: 30 } as const;
const annotation = { unsigned: 3, name: 10 } as const;
const types = { begin: 1, end: 2, counter: 4 } as const;
// Any number that packets of one writer share.
const writer = 1;

/** A message of protocol buffers while it is written. */
class Message {
  readonly #bytes: number[] = [];

  number(field: number, value: number): this {
    this.#variable(field * 8);
    return this.#variable(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.#bytes);
  }

  bytes(field: number, value: ArrayLike<number>): this {
    this.#variable(field * 8 + 2);
    this.#variable(value.length);
    for (let i = 0; i < value.length; i++) this.#bytes.push(value[i]);
    return this;
  }

  encode(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /** Seven bits a byte, the least first; numbers up to 2^53. */
  #variable(value: number): this {
    while (value >= 128) {
      this.#bytes.push((value % 128) + 128);
      value = Math.floor(value / 128);
    }
    this.#bytes.push(value);
    return this;
  }
}

/** What of a run is exported. */
export interface TraceOptions {
  /** Tiles that get a track of their own; the four that compute longest unless told otherwise. */
  readonly tiles?: readonly number[];
}

const runTrack = 1;
const supersteps = 2;
const bytesTrack = 3;
const firstTile = 16;

/**
 * A run as a trace of Perfetto's track events: a track of supersteps with their synchronisation, exchange and
 * computation, a counter of exchanged bytes, and tracks of single tiles. For ui.perfetto.dev, which opens such files.
 *
 * @returns the bytes of a `.pftrace` file; time is in nanoseconds of the device's clock
 */
export function perfettoTrace(report: ExecutionReport, { tiles = busiest(report, 4) }: TraceOptions = {}): Uint8Array {
  const { device } = report;
  for (const tile of tiles) {
    if (!Number.isInteger(tile) || tile < 0 || tile >= device.tileCount) {
      throw new Error(
        `perfettoTrace: tiles of ${device.name} run from 0 to ${device.tileCount - 1}, got ${tile}; choose among them`,
      );
    }
  }
  const file = new Message();
  const track = (uuid: number, name: string, fill: (message: Message) => Message = (message) => message): void => {
    const message = fill(new Message().number(descriptor.uuid, uuid).text(descriptor.name, name));
    file.message(trace.packet, new Message().number(packet.sequence, writer).message(packet.descriptor, message));
  };
  const nanoseconds = (cycles: number): number => Math.round((cycles / device.clockHz) * 1e9);
  const emit = (cycles: number, message: Message): void => {
    const own = new Message().number(packet.timestamp, nanoseconds(cycles)).number(packet.sequence, writer);
    file.message(trace.packet, own.message(packet.event, message));
  };
  const begin = (cycles: number, uuid: number, name: string, bytes?: number): void => {
    const message = new Message().number(event.type, types.begin).number(event.track, uuid).text(event.name, name);
    if (bytes !== undefined) {
      message.message(
        event.annotations,
        new Message().text(annotation.name, "bytes").number(annotation.unsigned, bytes),
      );
    }
    emit(cycles, message);
  };
  const end = (cycles: number, uuid: number): void => {
    emit(cycles, new Message().number(event.type, types.end).number(event.track, uuid));
  };
  const slice = (from: number, cycles: number, uuid: number, name: string, bytes?: number): void => {
    if (cycles === 0) return;
    begin(from, uuid, name, bytes);
    end(from + cycles, uuid);
  };
  const count = (cycles: number, value: number): void => {
    emit(
      cycles,
      new Message().number(event.type, types.counter).number(event.track, bytesTrack).number(event.counterValue, value),
    );
  };

  track(runTrack, device.name, (message) =>
    message.message(descriptor.process, new Message().number(process.pid, 1).text(process.name, device.name)),
  );
  track(supersteps, "supersteps", (message) => message.number(descriptor.parent, runTrack));
  track(bytesTrack, "exchanged bytes", (message) =>
    message
      .number(descriptor.parent, runTrack)
      .message(descriptor.counter, new Message().text(counter.unitName, "bytes")),
  );
  for (const tile of tiles) {
    track(firstTile + tile, `tile ${tile}`, (message) => message.number(descriptor.parent, runTrack));
  }
  let now = 0;
  for (const superstep of report.supersteps) {
    const { name, syncCycles, exchangeCycles, computeCycles, exchangedBytes, cycles } = superstep;
    const compute = computeCycles.reduce((most, own) => Math.max(most, own), 0);
    const exchange = cycles - syncCycles - compute;
    const [exchangeStart, computeStart] = [now + syncCycles, now + syncCycles + exchange];
    begin(now, supersteps, name, exchangedBytes);
    slice(now, syncCycles, supersteps, "sync");
    slice(exchangeStart, exchange, supersteps, "exchange", exchangedBytes);
    slice(computeStart, compute, supersteps, "compute");
    end(now + cycles, supersteps);
    count(exchangeStart, exchangedBytes);
    count(computeStart, 0);
    for (const tile of tiles) {
      slice(exchangeStart, exchangeCycles[tile], firstTile + tile, "exchange");
      slice(computeStart, computeCycles[tile], firstTile + tile, name);
    }
    now += cycles;
  }
  return file.encode();
}

/** The tiles that compute longest, in their order. */
function busiest({ tiles, device }: ExecutionReport, count: number): number[] {
  const order = Array.from({ length: device.tileCount }, (_, tile) => tile);
  order.sort((a, b) => tiles.compute[b] - tiles.compute[a]);
  return order.slice(0, count).sort((a, b) => a - b);
}

import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

// Protobuf messages by a description of their fields. Bytes stay views of the file, so that reading takes memory in
// proportion to the file, whatever lengths it claims; fields that a description leaves out are passed over.

type Scalar = "whole" | "float" | "double" | "text" | "bytes";

/** One field of a message: its number in the schema, what it holds, and whether it may come several times. */
interface Field {
  readonly number: number;
  readonly holds: Scalar | (() => MessageFields);
  readonly repeated: boolean;
}

/** A message as its fields, by the names that we call them. */
export type MessageFields = Readonly<Record<string, Field>>;

interface ScalarTypes {
  readonly whole: number;
  readonly float: number;
  readonly double: number;
  readonly text: string;
  readonly bytes: Uint8Array;
}

type Held<H> = H extends Scalar ? ScalarTypes[H] : H extends (() => infer M extends MessageFields) ? Message<M> : never;

/** What a message holds: repeated fields as lists, others as values, or undefined where the file says nothing. */
export type Message<M extends MessageFields> = {
  readonly [Name in keyof M]: M[Name] extends { repeated: true }
    ? readonly Held<M[Name]["holds"]>[]
    : Held<M[Name]["holds"]> | undefined;
};

/** A field that comes at most once. */
export function one<H extends Field["holds"]>(number: number, holds: H) {
  return { number, holds, repeated: false } as const;
}

/** A field that may come several times; numbers may be packed. */
export function many<H extends Field["holds"]>(number: number, holds: H) {
  return { number, holds, repeated: true } as const;
}

const wireTypes: Readonly<Record<Scalar, WireType>> = {
  whole: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
  text: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
};

const readScalar: { readonly [S in Scalar]: (reader: BinaryReader) => ScalarTypes[S] } = {
  whole: (reader) => Number(reader.int64()),
  float: (reader) => reader.float(),
  double: (reader) => reader.double(),
  text: (reader) => reader.string(),
  bytes: (reader) => reader.bytes(),
};

/**
 * Reads a message.
 *
 * @param name what errors call the source, such as the file's path
 * @param offset where `bytes` begin in the source, for errors
 * @throws Error naming the source and the byte if the bytes are not such a message
 */
export function readMessage<M extends MessageFields>(
  fields: M,
  bytes: Uint8Array,
  name: string,
  offset = 0,
): Message<M> {
  const byNumber = new Map(Object.entries(fields).map(([own, field]) => [field.number, { own, field }]));
  const result: Record<string, unknown> = {};
  for (const [own, { repeated }] of Object.entries(fields)) result[own] = repeated ? [] : undefined;
  const reader = new BinaryReader(bytes);
  const reading = <T>(read: () => T): T => {
    const start = reader.pos;
    try {
      return read();
    } catch (error) {
      throw new Error(
        `${name}: the file must be a protobuf message of ONNX, got "${(error as Error).message}" (byte ${offset + start}); fetch or export the file again`,
      );
    }
  };
  while (reader.pos < reader.len) {
    const [number, wireType] = reading(() => reader.tag());
    const known = byNumber.get(number);
    if (known === undefined) {
      reading(() => reader.skip(wireType, number));
      continue;
    }
    const { own, field } = known;
    const keep = (value: unknown): void => {
      if (field.repeated) (result[own] as unknown[]).push(value);
      else result[own] = value;
    };
    const { holds } = field;
    if (typeof holds === "function") {
      reading(() => expectWireType(own, wireType, WireType.LengthDelimited));
      const inner = reading(() => reader.bytes());
      keep(readMessage(holds(), inner, name, offset + reader.pos - inner.length));
    } else if (field.repeated && wireType === WireType.LengthDelimited && wireTypes[holds] !== wireType) {
      const packed = reading(() => reader.bytes());
      const inner = new BinaryReader(packed);
      while (inner.pos < inner.len) keep(reading(() => readScalar[holds](inner)));
    } else {
      reading(() => expectWireType(own, wireType, wireTypes[holds]));
      keep(reading(() => readScalar[holds](reader)));
    }
  }
  return result as Message<M>;
}

function expectWireType(field: string, got: WireType, expected: WireType): void {
  if (got !== expected) throw new Error(`${field} in wire type ${got} instead of ${expected}`);
}

/** A message to be written: fields that are left out are not written. */
export type Draft<M extends MessageFields> = {
  readonly [Name in keyof M]?: M[Name] extends { repeated: true }
    ? readonly DraftOf<M[Name]["holds"]>[]
    : DraftOf<M[Name]["holds"]>;
};

type DraftOf<H> = H extends Scalar
  ? ScalarTypes[H]
  : H extends (() => infer M extends MessageFields)
    ? Draft<M>
    : never;

const writeScalar: { readonly [S in Scalar]: (writer: BinaryWriter, value: ScalarTypes[S]) => void } = {
  whole: (writer, value) => writer.int64(value),
  float: (writer, value) => writer.float(value),
  double: (writer, value) => writer.double(value),
  text: (writer, value) => writer.string(value),
  bytes: (writer, value) => writer.bytes(value),
};

/** Writes a message; fields come in the order of their description, numbers of repeated ones packed. */
export function writeMessage<M extends MessageFields>(fields: M, draft: Draft<M>): Uint8Array {
  const writer = new BinaryWriter();
  writeFields(writer, fields, draft as Readonly<Record<string, unknown>>);
  return writer.finish();
}

function writeFields(writer: BinaryWriter, fields: MessageFields, draft: Readonly<Record<string, unknown>>): void {
  for (const [own, { number, holds, repeated }] of Object.entries(fields)) {
    const value = draft[own];
    if (value === undefined) continue;
    const values = repeated ? (value as readonly unknown[]) : [value];
    const delimited = (write: () => void): void => {
      writer.tag(number, WireType.LengthDelimited).fork();
      write();
      writer.join();
    };
    if (typeof holds === "function") {
      for (const inner of values) {
        delimited(() => writeFields(writer, holds(), inner as Readonly<Record<string, unknown>>));
      }
      continue;
    }
    // That each value is of its field's kind, the type of the draft has seen to.
    const write = writeScalar[holds] as (writer: BinaryWriter, value: unknown) => void;
    const wireType = wireTypes[holds];
    if (repeated && wireType !== WireType.LengthDelimited) {
      if (values.length === 0) continue;
      delimited(() => {
        for (const inner of values) write(writer, inner);
      });
    } else {
      for (const inner of values) write(writer.tag(number, wireType), inner);
    }
  }
}

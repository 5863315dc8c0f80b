import { toBase64 } from "./base64.ts";

/** What stands under our own MIME type: plain data, compressed where it is long. */
export type Payload = {
  readonly version: 1;
  readonly kind: string;
  /** The name under which a living kernel answers for details that are not stored. */
  readonly details?: string;
} & ({ readonly data: unknown } | { readonly encoding: "gzip+base64"; readonly data: string });

/** Data up to this many characters of JSON stay readable in the notebook file. */
const readableLength = 16_384;

/** Wraps the data of an interactive form for storing in a notebook. */
export async function packPayload(kind: string, data: unknown): Promise<Payload> {
  const json = JSON.stringify(data);
  if (json.length <= readableLength) return { version: 1, kind, data };
  const compressed = new Blob([json]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(compressed).arrayBuffer());
  return { version: 1, kind, encoding: "gzip+base64", data: toBase64(bytes) };
}

/** A payload with a name for its details, which is the same wherever the stored data are the same. */
export async function nameDetails(payload: Payload): Promise<Payload & { readonly details: string }> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(payload)));
  const name = [...new Uint8Array(digest, 0, 12)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { ...payload, details: name };
}

/** What a page reads from a stored payload. */
export interface Unpacked {
  readonly kind: string;
  readonly data: unknown;
  readonly details?: string;
}

/** Gives back the kind and the data of a stored payload; the error says what is wrong with it. */
export async function unpackPayload(stored: unknown): Promise<Unpacked> {
  const payload = stored as Partial<Payload> | null;
  if (payload?.version !== 1 || typeof payload.kind !== "string") {
    throw new Error(
      `figure: stored data must be version 1 with a kind, got version ${JSON.stringify(payload?.version)}; run the cell again`,
    );
  }
  const { kind, details } = payload;
  const named = details === undefined ? { kind } : { kind, details };
  if (!("encoding" in payload)) return { ...named, data: payload.data };
  if (payload.encoding !== "gzip+base64") {
    throw new Error(`figure: stored data must be plain or gzip+base64, got ${payload.encoding}; run the cell again`);
  }
  const bytes = Uint8Array.from(atob(payload.data as string), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return { ...named, data: await new Response(stream).json() };
}

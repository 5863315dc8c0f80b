import { toBase64 } from "./base64.ts";

/** What stands under our own MIME type: plain data, compressed where it is long. */
export type Payload =
  | { readonly version: 1; readonly kind: string; readonly data: unknown }
  | { readonly version: 1; readonly kind: string; readonly encoding: "gzip+base64"; readonly data: string };

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

/** Gives back the kind and the data of a stored payload; the error says what is wrong with it. */
export async function unpackPayload(stored: unknown): Promise<{ kind: string; data: unknown }> {
  const payload = stored as Partial<Payload> | null;
  if (payload?.version !== 1 || typeof payload.kind !== "string") {
    throw new Error(
      `figure: stored data must be version 1 with a kind, got version ${JSON.stringify(payload?.version)}; run the cell again`,
    );
  }
  if (!("encoding" in payload)) return { kind: payload.kind, data: payload.data };
  if (payload.encoding !== "gzip+base64") {
    throw new Error(`figure: stored data must be plain or gzip+base64, got ${payload.encoding}; run the cell again`);
  }
  const bytes = Uint8Array.from(atob(payload.data as string), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return { kind: payload.kind, data: await new Response(stream).json() };
}

import { createHmac, timingSafeEqual } from "node:crypto";
import type { JsonObject, Message, MessageHeader } from "./messages.ts";

const delimiter = Buffer.from("<IDS|MSG>");

/** A message with the ZeroMQ identities in front of it: where it came from, or where it shall go. */
export interface WireMessage {
  readonly identities: readonly Uint8Array[];
  readonly message: Message;
}

/** Why frames are no message. The kernel logs it and goes on. */
export class BadMessage extends Error {
  override readonly name = "BadMessage";
}

/**
 * Reads the frames of a message: `identities… <IDS|MSG> signature header parent_header metadata content buffers…`.
 *
 * @param key of the HMAC-SHA256 signature; empty for none
 * @throws BadMessage when frames are missing, the signature is wrong, or the JSON is
 */
export function decode(frames: readonly Uint8Array[], key: string): WireMessage {
  const split = frames.findIndex((frame) => delimiter.equals(frame));
  if (split < 0) throw new BadMessage("message: must hold the delimiter <IDS|MSG>, got none; dropped");
  const [signature, ...parts] = frames.slice(split + 1);
  if (parts.length < 4) {
    throw new BadMessage(
      `message: must hold a signature and four parts, got ${frames.length - split - 1} frames; dropped`,
    );
  }
  const signed = parts.slice(0, 4);
  if (key !== "" && !isSignedBy(key, signature, signed)) {
    throw new BadMessage("message: must be signed with the key of the connection file, got another signature; dropped");
  }
  const [header, parent, metadata, content] = signed.map(parseObject);
  if (typeof header.msg_type !== "string" || typeof header.msg_id !== "string") {
    throw new BadMessage("message: header must name msg_type and msg_id, got neither or one; dropped");
  }
  return {
    identities: frames.slice(0, split),
    message: {
      header: header as unknown as MessageHeader,
      parent_header: parent as unknown as MessageHeader,
      metadata,
      content,
      buffers: parts.slice(4),
    },
  };
}

/** The frames of a message; the reverse of {@link decode}. */
export function encode({ identities, message }: WireMessage, key: string): Uint8Array[] {
  const { header, parent_header, metadata, content, buffers } = message;
  const parts = [header, parent_header, metadata, content].map((part) => Buffer.from(JSON.stringify(part)));
  return [
    ...identities,
    delimiter,
    Buffer.from(key === "" ? "" : sign(key, parts).toString("hex")),
    ...parts,
    ...buffers,
  ];
}

function sign(key: string, parts: readonly Uint8Array[]): Buffer {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** Compares in constant time: how long it takes tells nothing about the right signature. */
function isSignedBy(key: string, signature: Uint8Array, parts: readonly Uint8Array[]): boolean {
  const right = Buffer.from(sign(key, parts).toString("hex"));
  return signature.length === right.length && timingSafeEqual(signature, right);
}

function parseObject(frame: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(frame).toString("utf8"));
  } catch {
    throw new BadMessage("message: parts must be JSON, got something else; dropped");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BadMessage("message: parts must be JSON objects, got something else; dropped");
  }
  return value as JsonObject;
}

// What lives here: the Jupyter messaging protocol in its own words, its frames and signatures, the connection file and
// the sockets.
// What does not: what a message makes the kernel do (that is the session's), and anything about TypeScript.
// Where to go next: messages.ts for the words, wire.ts for the bytes, then ../session.

export { type ConnectionInfo, readConnectionFile } from "./connection.ts";
export type {
  Channel,
  CommMessage,
  CommOpen,
  DisplayContent,
  ErrorContent,
  ErrorReply,
  ExecuteReply,
  HistoryEntry,
  HistoryRequest,
  InputContents,
  Json,
  JsonObject,
  KernelInfo,
  Message,
  MessageHeader,
  MimeBundle,
  PublishedContents,
  ReplyContents,
  RequestContents,
  StreamName,
  UserExpression,
} from "./messages.ts";
export { protocolVersion } from "./messages.ts";
export { KernelSockets } from "./sockets.ts";
export { BadMessage, decode, encode, type WireMessage } from "./wire.ts";

/** The version of the Jupyter messaging protocol that the kernel speaks. */
export const protocolVersion = "5.5";

/** A value that survives JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** A JSON object: what the protocol calls a dict. */
export type JsonObject = { readonly [key: string]: Json | undefined };

/** Where a message travels. The heartbeat is not among them: it carries bytes, not messages. */
export type Channel = "shell" | "control" | "stdin" | "iopub";

/** The envelope of a message, in the protocol's words. */
export interface MessageHeader {
  readonly msg_id: string;
  readonly msg_type: string;
  readonly session: string;
  readonly username: string;
  /** ISO 8601, in UTC. */
  readonly date: string;
  readonly version: string;
  /** The subshell that shall handle a shell message; absent or null for the main one (protocol 5.5). */
  readonly subshell_id?: string | null;
}

/** A message as it is spoken of inside the kernel: no frames, no identities, no signature. */
export interface Message<Content = JsonObject> {
  readonly header: MessageHeader;
  /** The header of the request that caused this message; an empty object where nothing did. */
  readonly parent_header: MessageHeader | Record<string, never>;
  readonly metadata: JsonObject;
  readonly content: Content;
  readonly buffers: readonly Uint8Array[];
}

/** Media type → representation of one and the same value. Binary ones are base64 text. */
export type MimeBundle = { readonly [mediaType: string]: Json | undefined };

/** `content` of what a front end asks, by message type. */
export interface RequestContents {
  readonly execute_request: {
    readonly code: string;
    readonly silent?: boolean;
    readonly store_history?: boolean;
    readonly user_expressions?: Readonly<Record<string, string>>;
    readonly allow_stdin?: boolean;
    readonly stop_on_error?: boolean;
    /** Ours, for graders: check the cell and remember what it declares, but do not run it. */
    readonly check_only?: boolean;
  };
  readonly inspect_request: { readonly code: string; readonly cursor_pos: number; readonly detail_level?: 0 | 1 };
  readonly complete_request: { readonly code: string; readonly cursor_pos: number };
  readonly history_request: HistoryRequest;
  readonly is_complete_request: { readonly code: string };
  readonly comm_info_request: { readonly target_name?: string | null };
  readonly comm_open: CommOpen;
  readonly comm_msg: CommMessage;
  readonly comm_close: CommMessage;
  readonly kernel_info_request: Record<string, never>;
  readonly shutdown_request: { readonly restart: boolean };
  readonly interrupt_request: Record<string, never>;
  readonly create_subshell_request: Record<string, never>;
  readonly delete_subshell_request: { readonly subshell_id: string };
  readonly list_subshell_request: Record<string, never>;
}

/** What is asked of the history: which part, and how much of each entry. */
export interface HistoryRequest {
  readonly output?: boolean;
  readonly raw?: boolean;
  readonly hist_access_type: "range" | "tail" | "search";
  readonly session?: number;
  readonly start?: number;
  readonly stop?: number | null;
  readonly n?: number | null;
  readonly pattern?: string;
  readonly unique?: boolean;
}

export interface CommOpen {
  readonly comm_id: string;
  readonly target_name: string;
  readonly data: JsonObject;
}

export interface CommMessage {
  readonly comm_id: string;
  readonly data: JsonObject;
}

/** The end of everything that failed: also the content of the `error` message. */
export interface ErrorContent {
  readonly ename: string;
  readonly evalue: string;
  /** Lines for the reader, with ANSI colours. */
  readonly traceback: readonly string[];
}

/** How every reply that failed begins. */
export type ErrorReply = { readonly status: "error" } & ErrorContent;

/** `content` of what the kernel answers, by message type. */
export interface ReplyContents {
  readonly execute_reply: ExecuteReply;
  readonly inspect_reply:
    | { readonly status: "ok"; readonly found: boolean; readonly data: MimeBundle; readonly metadata: JsonObject }
    | ErrorReply;
  readonly complete_reply:
    | {
        readonly status: "ok";
        readonly matches: readonly string[];
        readonly cursor_start: number;
        readonly cursor_end: number;
        readonly metadata: JsonObject;
      }
    | ErrorReply;
  readonly history_reply: { readonly status: "ok"; readonly history: readonly HistoryEntry[] } | ErrorReply;
  readonly is_complete_reply:
    | { readonly status: "complete" | "invalid" | "unknown" }
    | { readonly status: "incomplete"; readonly indent: string };
  readonly comm_info_reply: {
    readonly status: "ok";
    readonly comms: { readonly [commId: string]: { readonly target_name: string } };
  };
  readonly kernel_info_reply: KernelInfo;
  readonly shutdown_reply: { readonly status: "ok"; readonly restart: boolean };
  readonly interrupt_reply: { readonly status: "ok" } | ErrorReply;
  readonly create_subshell_reply: { readonly status: "ok"; readonly subshell_id: string };
  readonly delete_subshell_reply: { readonly status: "ok" } | ErrorReply;
  readonly list_subshell_reply: { readonly status: "ok"; readonly subshell_id: readonly string[] };
}

/** How a cell ended. */
export type ExecuteReply =
  | {
      readonly status: "ok";
      readonly execution_count: number;
      readonly user_expressions: { readonly [name: string]: UserExpression };
      readonly payload: readonly JsonObject[];
      /** Only after `check_only`: the names that the cell declares. */
      readonly declared?: readonly string[];
    }
  | ({ readonly status: "error"; readonly execution_count: number } & ErrorContent)
  | { readonly status: "aborted" };

/** The value of one of `user_expressions`, or how it failed. */
export type UserExpression =
  | { readonly status: "ok"; readonly data: MimeBundle; readonly metadata: JsonObject }
  | ErrorReply;

/** `[session, line number, input]`, or `[session, line number, [input, output]]` where output was asked for. */
export type HistoryEntry = readonly [
  session: number,
  line: number,
  input: string | readonly [input: string, output: string | null],
];

export interface KernelInfo {
  readonly status: "ok";
  readonly protocol_version: string;
  readonly implementation: string;
  readonly implementation_version: string;
  readonly language_info: JsonObject;
  readonly banner: string;
  readonly help_links: readonly { readonly text: string; readonly url: string }[];
  readonly supported_features: readonly string[];
}

/** `content` of what the kernel tells everyone on the iopub channel, by message type. */
export interface PublishedContents {
  readonly status: { readonly execution_state: "starting" | "busy" | "idle" };
  readonly execute_input: { readonly code: string; readonly execution_count: number };
  readonly execute_result: DisplayContent & { readonly execution_count: number };
  readonly display_data: DisplayContent;
  readonly update_display_data: DisplayContent;
  readonly clear_output: { readonly wait: boolean };
  readonly stream: { readonly name: StreamName; readonly text: string };
  readonly error: ErrorContent;
  readonly comm_open: CommOpen;
  readonly comm_msg: CommMessage;
  readonly comm_close: CommMessage;
  readonly shutdown_reply: { readonly status: "ok"; readonly restart: boolean };
  readonly iopub_welcome: { readonly subscription: string };
}

export type StreamName = "stdout" | "stderr";

export interface DisplayContent {
  readonly data: MimeBundle;
  readonly metadata: JsonObject;
  /** `display_id` names an output that `update_display_data` may replace. */
  readonly transient: { readonly display_id?: string };
}

/** `content` of what travels on the stdin channel, where the kernel asks and the front end answers. */
export interface InputContents {
  readonly input_request: { readonly prompt: string; readonly password: boolean };
  readonly input_reply: { readonly value: string };
}

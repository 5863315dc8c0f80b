import type { KernelInfo, Message, ReplyContents, RequestContents } from "../protocol/index.ts";
import { protocolVersion } from "../protocol/index.ts";
import { toCodePoints, toUtf16 } from "./cursor.ts";
import { typescriptVersion } from "./defaults.ts";
import type { SessionParts } from "./types.ts";
import { inspect, membersLike } from "./values.ts";

type Requests = keyof RequestContents & `${string}_request`;
type ReplyTo<Type extends Requests> = Type extends `${infer Name}_request`
  ? ReplyContents[`${Name}_reply` & keyof ReplyContents]
  : never;

/** Requests that are answered at once. `execute_request` waits in a queue; session.ts sees to it. */
export type AnsweredAtOnce = Exclude<Requests, "execute_request">;

/** One answer for each request that the protocol knows: a missing one is a compile error. */
export type Handlers = {
  readonly [Type in AnsweredAtOnce]: (
    parts: SessionParts,
    content: RequestContents[Type],
    message: Message,
  ) => ReplyTo<Type> | Promise<ReplyTo<Type>>;
};

export const handlers: Handlers = {
  kernel_info_request: ({ version }) => kernelInfo(version),

  async complete_request({ language, realm }, { code, cursor_pos }) {
    const position = toUtf16(code, cursor_pos);
    const { start, end, matches, membersOf } = await language.ask("complete", { code, position });
    const found = membersOf ? await membersLike(realm, membersOf, code.slice(start, end)) : matches;
    const span = { start: toCodePoints(code, start), end: toCodePoints(code, end) };
    return {
      status: "ok",
      matches: found.map(({ text }) => text),
      cursor_start: span.start,
      cursor_end: span.end,
      // JupyterLab shows the kinds of things from here.
      metadata: { _jupyter_types_experimental: found.map(({ text, type }) => ({ text, type, ...span })) },
    };
  },

  async inspect_request(session, { code, cursor_pos }) {
    const data = await inspect(session, code, toUtf16(code, cursor_pos));
    return { status: "ok", found: data !== null, data: data ?? {}, metadata: {} };
  },

  async is_complete_request({ language }, { code }) {
    return language.ask("isComplete", { code });
  },

  async history_request({ history }, request) {
    return { status: "ok", history: await history.find(request) };
  },

  comm_info_request({ comms }, { target_name: wanted }) {
    const found = [...comms].filter(([, target]) => !wanted || target === wanted);
    return { status: "ok", comms: Object.fromEntries(found.map(([id, target]) => [id, { target_name: target }])) };
  },

  interrupt_request(session) {
    session.interrupt();
    return { status: "ok" };
  },

  shutdown_request: (_parts, { restart }) => ({ status: "ok", restart: restart === true }),

  create_subshell_request: ({ shells }) => ({ status: "ok", subshell_id: shells.create() }),

  delete_subshell_request({ shells }, { subshell_id: id }) {
    if (shells.delete(id)) return { status: "ok" };
    const evalue = `subshell: must exist to be deleted, got ${id}; list_subshell_request names those that do`;
    return { status: "error", ename: "UnknownSubshell", evalue, traceback: [] };
  },

  list_subshell_request: ({ shells }) => ({ status: "ok", subshell_id: shells.ids() }),
};

function kernelInfo(version: string): KernelInfo {
  return {
    status: "ok",
    protocol_version: protocolVersion,
    implementation: "tessera",
    implementation_version: version,
    language_info: {
      name: "typescript",
      version: typescriptVersion,
      mimetype: "text/typescript",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      nbconvert_exporter: "script",
      // Both spellings: the classic notebook reads `name` and `typescript`, JupyterLab reads `mode`.
      codemirror_mode: { mode: "typescript", name: "javascript", typescript: true },
    },
    banner: `Tessera ${version}: TypeScript ${typescriptVersion} on Node ${process.versions.node}`,
    help_links: [
      { text: "TypeScript", url: "https://www.typescriptlang.org/docs/" },
      { text: "Node.js", url: "https://nodejs.org/docs/latest-v20.x/api/" },
    ],
    supported_features: ["kernel subshells"],
  };
}

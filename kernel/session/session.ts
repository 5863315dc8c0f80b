import { LanguageProcess } from "../language/index.ts";
import type {
  ErrorReply,
  ExecuteReply,
  JsonObject,
  Message,
  MessageHeader,
  RequestContents,
  UserExpression,
} from "../protocol/index.ts";
import { type Outcome, Realm, type RealmEvent } from "../realm/index.ts";
import { defaultPreload, languageOptions, realmOptions, version } from "./defaults.ts";
import { describeDiagnostics } from "./diagnostics.ts";
import { askedAbout, nothingAbout } from "./habits.ts";
import { type AnsweredAtOnce, handlers } from "./handlers.ts";
import { History } from "./history.ts";
import { Outbox } from "./outbox.ts";
import { Shells } from "./subshells.ts";
import type { KernelSession, MessageListener, SessionOptions, SessionParts } from "./types.ts";
import { inspect } from "./values.ts";

type ExecuteRequest = RequestContents["execute_request"];

/** Starts a kernel without wires. It answers at once; the realm and the compiler come up beside it. */
export function startSession(options: SessionOptions): KernelSession {
  return new Session(options);
}

class Session implements KernelSession, SessionParts {
  readonly version = version;
  readonly language: LanguageProcess;
  readonly realm: Realm;
  readonly history: History;
  readonly shells = new Shells();
  readonly comms = new Map<string, string>();
  readonly shutdownRequested: Promise<{ readonly restart: boolean }>;
  readonly #outbox = new Outbox();
  /** Which request set a cell going: its outputs carry that request's header. */
  readonly #parents = new Map<number, MessageHeader>();
  /** Execute requests that have begun and not ended, oldest first. */
  readonly #running = new Set<MessageHeader>();
  /** What the reader must be told when the next cell runs. */
  readonly #notices: string[] = [];
  /** Ends the wait for the compiler of cells that are not running yet. */
  readonly #checking = new Set<() => void>();
  #requestShutdown: (request: { readonly restart: boolean }) => void = () => {};
  #executionCount = 0;
  #lastCell = 0;

  constructor({ workingDirectory, preload = defaultPreload, realmPreload, historyFile = null }: SessionOptions) {
    this.shutdownRequested = new Promise((resolve) => {
      this.#requestShutdown = resolve;
    });
    this.realm = new Realm(realmOptions(workingDirectory, preload, realmPreload), (event) => this.#hear(event));
    this.language = new LanguageProcess(languageOptions(workingDirectory, preload));
    this.history = new History(historyFile);
  }

  onMessage(listener: MessageListener): () => void {
    return this.#outbox.subscribe(listener);
  }

  interrupt(): void {
    this.realm.interrupt();
    for (const stop of this.#checking) stop();
  }

  async restart(): Promise<void> {
    this.#outbox.flush();
    await this.realm.restart();
    await this.language.ask("reset", {});
    this.#parents.clear();
    this.#notices.length = 0;
    this.#executionCount = 0;
  }

  async shutdown(): Promise<void> {
    this.#outbox.flush();
    await Promise.all([this.realm.close(), this.language.close()]);
  }

  handle(channel: "shell" | "control" | "stdin", message: Message): void {
    const { msg_type: type } = message.header;
    if (channel === "stdin") {
      if (type === "input_reply") this.realm.answerInput(String(message.content.value ?? ""));
      return;
    }
    if (type === "execute_request") this.#enqueue(channel, message as unknown as Message<ExecuteRequest>);
    else if (type === "comm_open" || type === "comm_msg" || type === "comm_close") this.#deliver(type, message);
    else if (Object.hasOwn(handlers, type)) void this.#answer(channel, type as AnsweredAtOnce, message);
    else console.error(`session: a request must be one that the protocol knows, got ${type}; ignored`);
  }

  async #answer(channel: "shell" | "control", type: AnsweredAtOnce, message: Message): Promise<void> {
    const parent = message.header;
    this.#outbox.publish("status", { execution_state: "busy" }, parent);
    const handler = handlers[type] as (parts: SessionParts, content: unknown, message: Message) => unknown;
    let reply: object;
    try {
      reply = (await handler(this, message.content, message)) as object;
    } catch (error) {
      reply = failed(error);
    }
    const replyType = type.replace(/request$/, "reply");
    this.#outbox.send(channel, replyType, reply, parent);
    if (type === "shutdown_request") {
      const { restart } = reply as { restart: boolean };
      this.#outbox.publish("shutdown_reply", { status: "ok", restart }, parent);
    }
    this.#idle(parent);
    if (type === "shutdown_request") this.#requestShutdown(reply as { restart: boolean });
  }

  /** Says that a request is dealt with; front ends take it for the state of the kernel, so a running cell speaks up. */
  #idle(parent: MessageHeader): void {
    this.#outbox.publish("status", { execution_state: "idle" }, parent);
    const [oldest] = this.#running;
    if (oldest !== undefined) this.#outbox.publish("status", { execution_state: "busy" }, oldest);
  }

  #enqueue(channel: "shell" | "control", request: Message<ExecuteRequest>): void {
    const { header, content } = request;
    let started = new Date().toISOString();
    const reply = (answer: ExecuteReply | ErrorReply): void => {
      // Front ends that note how long cells take look here for when they began.
      this.#outbox.send(channel, "execute_reply", answer, header, { metadata: { started } });
    };
    const queue = this.shells.find(header.subshell_id);
    if (queue === undefined || typeof content.code !== "string") {
      const problem = queue === undefined ? `name a subshell that exists, got ${header.subshell_id}` : "carry code";
      this.#outbox.publish("status", { execution_state: "busy" }, header);
      reply(failed(new Error(`execute_request: must ${problem}`)));
      this.#idle(header);
      return;
    }
    const run = async (): Promise<void> => {
      this.#running.add(header);
      started = new Date().toISOString();
      this.#outbox.publish("status", { execution_state: "busy" }, header);
      let answer: ExecuteReply | ErrorReply;
      try {
        answer = await this.#execute(content, header);
      } catch (error) {
        answer = failed(error);
        // Whatever went wrong in the kernel itself, the reader must see that the cell failed.
        const { ename, evalue, traceback } = answer;
        this.#outbox.publish("error", { ename, evalue, traceback }, header);
      }
      reply(answer);
      this.#running.delete(header);
      this.#idle(header);
      if (answer.status === "error" && content.stop_on_error !== false) queue.abortWaiting();
    };
    const abort = (): void => {
      this.#outbox.publish("status", { execution_state: "busy" }, header);
      // Without a number: front ends would write it beside a cell that never ran.
      reply({ status: "aborted" });
      this.#outbox.publish("status", { execution_state: "idle" }, header);
    };
    queue.add(run, abort);
  }

  async #execute(content: ExecuteRequest, parent: MessageHeader): Promise<ExecuteReply | ErrorReply> {
    const { code, silent = false, user_expressions: expressions = {} } = content;
    const stored = !silent && content.store_history !== false;
    if (stored) this.#executionCount++;
    const count = this.#executionCount;
    if (!silent) this.#outbox.publish("execute_input", { code, execution_count: count }, parent);
    if (stored) void this.history.add(count, code);
    for (const notice of this.#notices.splice(0)) this.#outbox.print("stderr", notice, parent);

    const name = stored ? `cell${count}.ts` : "cell0.ts";
    if (content.check_only) return this.#check(content, name, count);
    const asked = askedAbout(code);
    if (asked !== undefined) return this.#tellAbout(asked, count, silent, parent);
    const outcome = await this.#run("check", content, name, parent);
    if (outcome.status === "error") {
      const { ename, evalue, traceback } = outcome;
      if (!silent) this.#outbox.publish("error", { ename, evalue, traceback }, parent);
      return { status: "error", execution_count: count, ename, evalue, traceback };
    }
    if (outcome.result !== null && !silent) {
      const { data, metadata } = outcome.result;
      this.#outbox.publish("execute_result", { data, metadata, transient: {}, execution_count: count }, parent);
    }
    const values: Record<string, UserExpression> = {};
    for (const [key, expression] of Object.entries(expressions)) {
      values[key] = toUserExpression(await this.#run("translate", { code: expression }, "cell0.ts", parent));
    }
    return { status: "ok", execution_count: count, user_expressions: values, payload: [] };
  }

  /** Shows what is known about a name, as the value of the cell that asks. */
  async #tellAbout(name: string, count: number, silent: boolean, parent: MessageHeader): Promise<ExecuteReply> {
    const position = name.length - 1;
    const found = await inspect(this, name, position);
    const result = { data: found ?? nothingAbout(name), metadata: {}, transient: {}, execution_count: count };
    if (!silent) this.#outbox.publish("execute_result", result, parent);
    return { status: "ok", execution_count: count, user_expressions: {}, payload: [] };
  }

  /** Lets later cells know what this one declares, without running it: its values come from elsewhere. */
  async #check({ code }: ExecuteRequest, name: string, count: number): Promise<ExecuteReply | ErrorReply> {
    const checked = await this.language.ask("check", { code, name });
    if (checked.status === "error") return { status: "error", ...describeDiagnostics(checked.diagnostics, code, name) };
    const { declared } = checked;
    return { status: "ok", execution_count: count, user_expressions: {}, payload: [], declared };
  }

  async #run(
    method: "check" | "translate",
    { code, allow_stdin: allowInput = true }: ExecuteRequest,
    name: string,
    parent: MessageHeader,
  ): Promise<Outcome> {
    const checked = await this.#unlessInterrupted(this.language.ask(method, { code, name }));
    if (checked === "interrupted") return interruptedBeforeStart;
    if (checked.status === "error") return { status: "error", ...describeDiagnostics(checked.diagnostics, code, name) };
    const cell = ++this.#lastCell;
    this.#parents.set(cell, parent);
    // Code of old cells may still print; of very old ones it does so under the newest.
    this.#parents.delete(cell - 1000);
    const { javascript, declared, sourceMap } = checked;
    return this.realm.execute({ cell, name, source: code, javascript, declared, sourceMap, allowInput });
  }

  #unlessInterrupted<Answer>(answer: Promise<Answer>): Promise<Answer | "interrupted"> {
    return new Promise((resolve, reject) => {
      const stop = (): void => resolve("interrupted");
      this.#checking.add(stop);
      answer.then(resolve, reject).finally(() => this.#checking.delete(stop));
    });
  }

  #deliver(type: "comm_open" | "comm_msg" | "comm_close", { header, content, buffers }: Message): void {
    const { comm_id: id, target_name: target, data } = content as unknown as RequestContents["comm_open"];
    this.#outbox.publish("status", { execution_state: "busy" }, header);
    if (type === "comm_open") {
      this.comms.set(id, target);
      this.realm.deliver({ type, comm_id: id, target_name: target, data: data ?? {}, buffers });
    } else {
      if (type === "comm_close") this.comms.delete(id);
      this.realm.deliver({ type, comm_id: id, data: data ?? {}, buffers });
    }
    this.#idle(header);
  }

  #hear(event: RealmEvent): void {
    if (event.type === "ready") {
      if (event.preloadFailure !== null) {
        this.#notices.push(`The library could not be loaded, and its names are missing:\n${event.preloadFailure}\n`);
      }
      return;
    }
    if (event.type === "lost") {
      this.#lose(event.reason);
      return;
    }
    const outbox = this.#outbox;
    const parent = this.#parents.get(event.cell) ?? this.#parents.get(this.#lastCell);
    switch (event.type) {
      case "stream":
        outbox.print(event.name, event.text, parent);
        break;
      case "display": {
        const { data, metadata, displayId, update } = event;
        const transient = displayId === null ? {} : { display_id: displayId };
        outbox.publish(update ? "update_display_data" : "display_data", { data, metadata, transient }, parent);
        break;
      }
      case "clear":
        outbox.publish("clear_output", { wait: event.wait }, parent);
        break;
      case "input":
        outbox.send("stdin", "input_request", { prompt: event.prompt, password: event.password }, parent);
        break;
      case "comm_open": {
        const { comm_id, target_name, data, metadata, buffers } = event;
        this.comms.set(comm_id, target_name);
        outbox.publish("comm_open", { comm_id, target_name, data }, parent, { metadata, buffers });
        break;
      }
      case "comm_msg":
      case "comm_close": {
        const { comm_id, data, buffers } = event;
        if (event.type === "comm_close") this.comms.delete(comm_id);
        outbox.publish(event.type, { comm_id, data }, parent, { buffers });
        break;
      }
    }
  }

  /** The realm died and a new one took its place: what the old one declared no longer exists. */
  #lose(reason: string): void {
    for (const [comm_id] of this.comms) {
      this.#outbox.publish("comm_close", { comm_id, data: {} as JsonObject }, undefined);
    }
    this.comms.clear();
    if (this.#running.size === 0) this.#notices.push(`The values of all cells were lost: ${reason}.\n`);
    this.language.ask("reset", {}).catch((error) => console.error(error));
  }
}

const interruptedBeforeStart: Outcome = {
  status: "error",
  ename: "Interrupted",
  evalue: "the cell was stopped before it began",
  traceback: ["Interrupted: the cell was stopped before it began"],
};

function toUserExpression(outcome: Outcome): UserExpression {
  if (outcome.status === "error") return outcome;
  const { data, metadata } = outcome.result ?? { data: { "text/plain": "undefined" }, metadata: {} };
  return { status: "ok", data, metadata };
}

/** A request that the kernel itself could not deal with. */
function failed(error: unknown): ErrorReply {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { status: "error", ename: name, evalue: message, traceback: (stack ?? message).split("\n") };
}

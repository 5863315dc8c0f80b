import type { Kernel } from "@jupyterlab/services";
import {
  type CellEnd,
  CellExecutor,
  inProcessKernelName,
  inProcessKernels,
  OutputRecorder,
  ProcessSession,
  startKernel,
} from "../headless/index.ts";
import type { JsonObject } from "../protocol/index.ts";
import { Sandbox, type SandboxLimits, sandboxHome } from "./sandbox.ts";

/** How the processes of a submission are held. */
export interface GradingLimits extends SandboxLimits {
  readonly cellSeconds: number;
  readonly outputBytes: number;
  /** Whether bubblewrap holds them; without it they are only watched. */
  readonly isSandboxed: boolean;
}

const realm = (name: string): string => new URL(`realms/${name}.js`, import.meta.url).href;

/** A cell that is told to stop gets this long, and then its process is ended. */
const graceMilliseconds = 800;

/** The name of the error that a test meets where the student's code gives no answer. */
export const studentCodeEnded = "StudentCodeEnded";

const outOfMemory = "the submission needed more memory than its limit";

/** A kernel in a process of its own, with three lines beside its messages. */
class GradingKernel {
  readonly session: ProcessSession;
  readonly connection: Kernel.IKernelConnection;
  readonly recorder = new OutputRecorder();
  readonly executor: CellExecutor;
  readonly #sandbox: Sandbox | undefined;

  private constructor(
    session: ProcessSession,
    connection: Kernel.IKernelConnection,
    sandbox: Sandbox | undefined,
    outputBytes: number,
  ) {
    this.session = session;
    this.connection = connection;
    this.executor = new CellExecutor(connection, this.recorder, outputBytes);
    this.#sandbox = sandbox;
  }

  static async start(role: "student" | "grader", folder: string, limits: GradingLimits): Promise<GradingKernel> {
    const { memoryBytes, processes, isSandboxed, outputBytes } = limits;
    const sandbox = isSandboxed ? new Sandbox(folder, limits) : undefined;
    const session = new ProcessSession({
      workingDirectory: sandbox ? sandboxHome : folder,
      realmPreload: realm(role),
      // Control groups count threads, too; those who look count processes, and should see a flood before it is full.
      limits: { memoryBytes, processes: Math.floor(processes / 2) },
      lines: 3,
      ...(sandbox && { wrap: sandbox.wrap }),
    });
    for (const line of session.lines) line.on("error", () => {});
    const connection = await startKernel(
      inProcessKernels(() => session),
      inProcessKernelName,
    );
    return new GradingKernel(session, connection, sandbox, outputBytes);
  }

  /** How a cell ended; where the system ended the process for its memory, that is why. */
  explain(end: CellEnd): CellEnd {
    if (end.stopped !== "kernel-died" || !this.#sandbox?.wasOutOfMemory) return end;
    return { ...end, stopped: "out-of-memory", detail: outOfMemory };
  }

  /** Why the process is gone, where it is. */
  get death(): string | undefined {
    const { death } = this.executor;
    if (death === undefined) return undefined;
    return this.#sandbox?.wasOutOfMemory ? outOfMemory : (death.detail ?? "the process ended");
  }

  async close(): Promise<void> {
    this.connection.dispose();
    await this.session.shutdown();
    this.#sandbox?.dispose();
  }
}

/** What a cell left behind, as a notebook stores it. */
export interface Executed {
  readonly end: CellEnd;
  readonly outputs: NonNullable<ReturnType<OutputRecorder["outputsOf"]>>;
}

/**
 * Two kernels for one submission: one runs what the student wrote, the other runs the tests. The tests see the student's
 * functions and values through a border that only data crosses, so nothing that the student's code does to its own
 * process reaches a test, and no test's text reaches the student's process.
 */
export class GradingPair {
  readonly #student: GradingKernel;
  readonly #grader: GradingKernel;
  readonly #limits: GradingLimits;
  #next = 0;

  private constructor(student: GradingKernel, grader: GradingKernel, limits: GradingLimits) {
    this.#student = student;
    this.#grader = grader;
    this.#limits = limits;
    const [toStudent, fromStudent, repliesToStudent] = student.session.lines;
    const [requests, answers, replies] = grader.session.lines;
    requests.pipe(toStudent, { end: false });
    fromStudent.pipe(answers);
    replies.pipe(repliesToStudent, { end: false });
  }

  /**
   * @param submission the folder of the student's files
   * @param source the folder of the teacher's, which only tests see
   */
  static async start(submission: string, source: string, limits: GradingLimits): Promise<GradingPair> {
    const [student, grader] = await Promise.all([
      GradingKernel.start("student", submission, limits),
      GradingKernel.start("grader", source, limits),
    ]);
    // A cell's time should not count what is not its own.
    await Promise.all([student.executor.ready(), grader.executor.ready()]);
    return new GradingPair(student, grader, limits);
  }

  /** Why the student's process ended, where it did. */
  get death(): string | undefined {
    return this.#student.death;
  }

  /** Runs a cell of the submission in the student's process. */
  async runForStudent(code: string): Promise<Executed> {
    return this.#execute(this.#student, { code }, this.#limits.cellSeconds);
  }

  /** Runs a cell of the teacher's in the judging process. */
  async runForGrader(code: string): Promise<Executed> {
    return this.#execute(this.#grader, { code }, this.#limits.cellSeconds);
  }

  /** Lets the compiler of the tests know what a cell declares, without running it; the names that it declares. */
  async declare(code: string): Promise<readonly string[]> {
    const { reply } = (await this.#execute(this.#grader, { code, check_only: true }, this.#limits.cellSeconds)).end;
    const { declared } = (reply ?? {}) as { declared?: readonly string[] };
    return declared ?? [];
  }

  /** The names that every test sees, whatever a student declares. */
  async preloadedNames(): Promise<ReadonlySet<string>> {
    const names = await this.#evaluate(this.#grader, "Object.getOwnPropertyNames(globalThis).join(' ')", 10);
    return new Set(names.replace(/^'|'$/g, "").split(" "));
  }

  /**
   * Runs a test.
   *
   * @param names those of the student's values that it uses
   */
  async runTest(code: string, names: readonly string[]): Promise<Executed> {
    const seconds = this.#limits.cellSeconds;
    const index = this.#next++;
    const [toStudent] = this.#student.session.lines;
    const [, answers] = this.#grader.session.lines;
    const abort = (why: string): void => {
      const error = { e: { name: studentCodeEnded, message: why } };
      if (answers.writable) answers.write(`${JSON.stringify({ id: 0, error })}\n`);
    };
    if (toStudent.writable) toStudent.write(`begin ${index}\n`);
    // The student's process answers in a cell of its own, so that it can be interrupted like one, and its output is ours.
    let isOver = false;
    const serving = this.#student.executor
      .execute(
        index,
        { code: "", ...{ user_expressions: { serve: `await __tessera_serve__(${index})` } } },
        { graceMilliseconds, milliseconds: seconds * 1000 },
      )
      .then((end) => {
        if (isOver) return;
        const why =
          end.stopped === "timeout" ? `the student's code ran longer than its limit of ${seconds} s` : undefined;
        abort(why ?? this.death ?? "the student's code ended before its answer");
        // Deaf even to interrupts: then its process must go.
        if (end.stopped !== null && end.reply === null) this.#student.session.kill();
      });
    const bindings = names.map((name) => `${name} = __tessera_bind__("${name}")`).join(", ");
    if (names.length > 0) await this.#evaluate(this.#grader, `let ${bindings}; ""`, seconds + 2);
    // The judging process is the last to lose its patience.
    const judged = await this.#execute(this.#grader, { code }, seconds + 2);
    isOver = true;
    if (toStudent.writable) toStudent.write(`end ${index}\n`);
    await serving;
    const printed = (this.#student.recorder.outputsOf(index) ?? []).flatMap((output) =>
      output.output_type === "stream" ? [{ ...output, name: "stdout" }] : [],
    );
    return { end: judged.end, outputs: [...printed, ...judged.outputs] };
  }

  async close(): Promise<void> {
    await Promise.all([this.#student.close(), this.#grader.close()]);
  }

  async #execute(kernel: GradingKernel, request: JsonObject & { code: string }, seconds: number): Promise<Executed> {
    const index = this.#next++;
    const end = await kernel.executor.execute(index, request, { graceMilliseconds, milliseconds: seconds * 1000 });
    // One that did not hear the interrupt would not hear the next cell.
    if (end.stopped !== null && end.reply === null) kernel.session.kill();
    return { end: kernel.explain(end), outputs: kernel.recorder.outputsOf(index) ?? [] };
  }

  /** The value of an expression that the compiler does not check, as plain text. */
  async #evaluate(kernel: GradingKernel, expression: string, seconds: number): Promise<string> {
    const request = { code: "", silent: true, store_history: false, user_expressions: { value: expression } };
    const { reply } = (await this.#execute(kernel, request, seconds)).end;
    const { user_expressions: values } = (reply ?? {}) as { user_expressions?: JsonObject };
    const { data } = (values?.value ?? {}) as { data?: JsonObject };
    return String(data?.["text/plain"] ?? "");
  }
}

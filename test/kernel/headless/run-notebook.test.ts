import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import {
  type CodeCell,
  inProcessKernelName,
  inProcessKernels,
  type Notebook,
  type RunEvent,
  type RunOptions,
  type RunResult,
  runNotebook,
  startKernel,
} from "../../../kernel/headless/index.ts";
import type { JsonObject } from "../../../kernel/protocol/index.ts";
import { suite } from "../../support/suite.ts";
import { code, fixture, notebookOf } from "./fixtures.ts";
import { ScriptedSession, type Step, script } from "./scripted-session.ts";

const test = suite("a run of a notebook");
console.debug = () => {}; // @jupyterlab/services tells of every socket it opens.

async function run(notebook: Notebook, options: RunOptions = {}): Promise<RunResult & { session: ScriptedSession }> {
  const session = new ScriptedSession();
  const kernel = await startKernel(
    inProcessKernels(() => session),
    inProcessKernelName,
  );
  const result = await runNotebook(notebook, kernel, options);
  if (!kernel.isDisposed) await kernel.shutdown();
  return { ...result, session };
}

const codeCells = ({ notebook }: RunResult): CodeCell[] =>
  notebook.cells.filter((cell): cell is CodeCell => cell.cell_type === "code");
const print = (text: string, name = "stdout"): Step => ["stream", { name, text }];
const show = (text: string, id?: string): Step => [
  "display_data",
  { data: { "text/plain": text }, metadata: {}, transient: id === undefined ? {} : { display_id: id } },
];
const fail: Step[] = [
  ["error", { ename: "RangeError", evalue: "too far", traceback: ["RangeError: too far", "  cell1.ts:1:1"] }],
  ["reply", { status: "error", ename: "RangeError", evalue: "too far", traceback: ["RangeError: too far"] }],
];

interface Case {
  readonly messages: readonly Step[][];
  readonly outputs: readonly CodeCell["outputs"][];
}
const recorded: readonly Case[] = JSON.parse(readFileSync(fixture("nbclient-outputs.json"), "utf8"));

test("stores the outputs that nbclient stores, over recorded sequences of messages", async () => {
  for (const [index, { messages, outputs }] of recorded.entries()) {
    const result = await run(notebookOf(...messages.map((steps) => code(script(...steps)))));
    assert.equal(
      codeCells(result).map((cell) => cell.outputs),
      outputs,
      `sequence ${index}`,
    );
  }
});

test("numbers the cells, dates them as nbclient does, and takes the language from the kernel", async () => {
  const result = await run(notebookOf({ cell_type: "markdown", source: "x", metadata: {} }, code(script(print("a")))));
  const [cell] = codeCells(result);
  assert.is(result.outcome, "ok");
  assert.is(cell.execution_count, 1);
  const time = "2026-01-02T03:04:05.678Z";
  assert.equal(cell.metadata.execution, {
    "iopub.status.busy": time,
    "iopub.execute_input": time,
    "shell.execute_reply": time,
    "iopub.status.idle": time,
  });
  assert.equal(result.notebook.metadata.language_info, { name: "typescript", version: "6.0.3" });
});

test("a failing cell ends the run; cells after it lose the outputs of an earlier run", async () => {
  const stale: CodeCell = {
    ...code(script(print("c"))),
    execution_count: 9,
    outputs: [{ output_type: "stream", name: "stdout", text: "old" }],
  };
  const result = await run(notebookOf(code(script(print("a"))), code(script(print("b"), ...fail)), stale));
  assert.is(result.outcome, "cell-error");
  assert.is(result.failure?.place.number, 2);
  assert.is(result.failure?.ename, "RangeError");
  assert.is(result.failure?.evalue, "too far");
  assert.equal(
    codeCells(result).map(({ outputs }) => outputs.length),
    [1, 2, 0],
  );
  assert.is(codeCells(result)[2].execution_count, null);
  assert.is(result.session.requests.length, 2);
});

test("a cell tagged raises-exception may fail, and asks the kernel not to drop what waits", async () => {
  const result = await run(notebookOf(code(script(...fail), "raises-exception"), code(script(print("on")))));
  assert.is(result.outcome, "ok");
  assert.equal(
    result.cells.map(({ status }) => status),
    ["tolerated", "ok"],
  );
  assert.equal(
    result.session.requests.map((request) => (request as JsonObject).stop_on_error),
    [false, true],
  );
  assert.is(codeCells(result)[0].outputs[0].output_type, "error");
});

test("cells that are empty or tagged skip-execution keep what they have", async () => {
  const outputs = [{ output_type: "stream", name: "stdout", text: "kept" }] as const;
  const kept: CodeCell = { ...code(script(print("new")), "skip-execution"), execution_count: 4, outputs };
  const result = await run(notebookOf(kept, code("  \n"), code(script(print("a")))));
  assert.is(result.session.requests.length, 1);
  assert.equal(codeCells(result)[0], kept);
  assert.is(codeCells(result)[2].execution_count, 1);
});

test("an update reaches an output that an earlier cell displayed", async () => {
  const update: Step = [
    "update_display_data",
    { data: { "text/plain": "new" }, metadata: {}, transient: { display_id: "d" } },
  ];
  const result = await run(notebookOf(code(script(show("old", "d"))), code(script(update))));
  assert.equal(codeCells(result)[0].outputs, [
    { output_type: "display_data", data: { "text/plain": "new" }, metadata: {} },
  ]);
  assert.equal(codeCells(result)[1].outputs, []);
});

test("an interrupt ends the running cell and the run, and keeps what was printed", async () => {
  const controller = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (event.kind === "message" && event.message.header.msg_type === "stream") controller.abort();
  };
  const cells = [code(script(print("half"), ["wait"]), "raises-exception"), code(script(print("never")))];
  const result = await run(notebookOf(...cells), { signal: controller.signal, onEvent });
  assert.is(result.outcome, "interrupted");
  assert.is(result.failure?.ename, "Interrupted");
  assert.equal(
    codeCells(result).map(({ outputs }) => outputs.length),
    [2, 0],
  );
  assert.is(result.session.requests.length, 1);
});

test("an interrupt before the first cell leaves all cells alone", async () => {
  const result = await run(notebookOf(code(script(print("never")))), { signal: AbortSignal.abort() });
  assert.is(result.outcome, "interrupted");
  assert.is(result.session.requests.length, 0);
});

test("a cell that does not hear an interrupt is left after the grace", async () => {
  const controller = new AbortController();
  const onEvent = (event: RunEvent): void => {
    if (event.kind === "message" && event.message.header.msg_type === "stream") controller.abort();
  };
  const notebook = notebookOf(code(script(print("half"), ["deaf"])));
  const result = await run(notebook, { signal: controller.signal, onEvent, graceMilliseconds: 20 });
  assert.is(result.outcome, "interrupted");
  const evalue = "the cell did not end when it was interrupted";
  assert.equal(codeCells(result)[0].outputs, [
    { output_type: "stream", name: "stdout", text: "half" },
    { output_type: "error", ename: "Interrupted", evalue, traceback: [`Interrupted: ${evalue}`] },
  ]);
});

test("a kernel that dies ends the run with what there is", async () => {
  const dead: Step = ["status", { execution_state: "dead" }];
  const result = await run(notebookOf(code(script(print("half"), dead, ["deaf"])), code(script(print("never")))));
  assert.is(result.outcome, "kernel-died");
  assert.is(result.failure?.place.number, 1);
  const evalue = "the kernel ended while the cell ran";
  assert.equal(codeCells(result)[0].outputs, [
    { output_type: "stream", name: "stdout", text: "half" },
    { output_type: "error", ename: "KernelDied", evalue, traceback: [`KernelDied: ${evalue}`] },
  ]);
});

test("a kernel that dies between two cells fails the next one", async () => {
  const session = new ScriptedSession();
  const kernel = await startKernel(
    inProcessKernels(() => session),
    inProcessKernelName,
  );
  const onEvent = (event: RunEvent): void => {
    if (event.kind === "cell-finished") kernel.dispose();
  };
  const result = await runNotebook(notebookOf(code(script(print("a"))), code(script(print("b")))), kernel, { onEvent });
  assert.is(result.outcome, "kernel-died");
  assert.is(result.failure?.place.number, 2);
  assert.is(session.requests.length, 1);
});

test("the kernel's session is shut down with its connection", async () => {
  const result = await run(notebookOf());
  assert.is(result.outcome, "ok");
  assert.ok(result.session.isShutDown);
});

test.run();

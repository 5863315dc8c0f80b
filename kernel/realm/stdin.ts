import { receiveMessageOnPort } from "node:worker_threads";
import { currentCell } from "./cell.ts";
import { Interrupted } from "./errors.ts";
import type { InputAnswer } from "./messages.ts";
import { post, realmData } from "./port.ts";

const signal = new Int32Array(realmData.inputSignal);

function ask(prompt: string, password: boolean): string {
  const cell = currentCell();
  if (!cell.allowInput) {
    throw new Error(
      "prompt: the front end must be able to ask its reader, and this one is not; pass the value in the code",
    );
  }
  // Whatever was answered to a question that nobody waits for any more.
  while (receiveMessageOnPort(realmData.inputPort as never) !== undefined);
  Atomics.store(signal, 0, 0);
  post({ type: "input", cell: cell.id, prompt, password });
  // Blocks this thread only; the kernel goes on answering.
  Atomics.wait(signal, 0, 0);
  const received = receiveMessageOnPort(realmData.inputPort as never) as { message: InputAnswer } | undefined;
  if (received === undefined) throw new Error("internal: the input signal came without an answer");
  if ("interrupted" in received.message) throw new Interrupted();
  return received.message.value;
}

/** Asks the reader for a line of text and waits for it. */
export function prompt(question = ""): string {
  return ask(question, false);
}

/** Asks the reader for something that is not shown while it is typed, and waits for it. */
export function password(question = "Password: "): string {
  return ask(question, true);
}

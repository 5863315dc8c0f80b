import { readdirSync, readFileSync } from "node:fs";

/** Asked so often to end, a program is made to. */
const mostRequests = 20;

/**
 * Ends the programs that cells wait for in `execSync` and its like, with all that these have started: while a thread waits
 * for a program nothing can end its JavaScript. They are asked as Ctrl-C asks them (SIGINT), and made to end (SIGKILL) after
 * that. Called again and again while the thread does not answer.
 *
 * Only Linux says which thread has started a program: the main one's are the kernel's own. Elsewhere programs are waited for.
 *
 * @param attempt how often this has been called during one interrupt
 * @param others programs that nothing waits for
 */
export function stopPrograms(attempt: number, others: ReadonlySet<number>): void {
  if (process.platform !== "linux") return;
  const threads = threadsOf(process.pid).filter((thread) => thread !== process.pid);
  const started = threads.flatMap((thread) => startedBy(process.pid, thread));
  for (const program of started.filter((id) => !others.has(id)).flatMap(withDescendants)) {
    try {
      process.kill(program, attempt < mostRequests ? "SIGINT" : "SIGKILL");
    } catch {
      // It ended just now.
    }
  }
}

/** A program and all that it has started, as long as they are in its line; of others than Linux itself alone. */
export function withDescendants(program: number): number[] {
  const started = threadsOf(program).flatMap((thread) => startedBy(program, thread));
  return [program, ...started.flatMap(withDescendants)];
}

function threadsOf(program: number): number[] {
  return numbers(() => readdirSync(`/proc/${program}/task`));
}

function startedBy(program: number, thread: number): number[] {
  return numbers(() => readFileSync(`/proc/${program}/task/${thread}/children`, "utf8").split(" ").filter(Boolean));
}

/** What cannot be read is of a program that has ended. */
function numbers(read: () => readonly string[]): number[] {
  try {
    return read().map(Number);
  } catch {
    return [];
  }
}

import type { Runtime } from "node:inspector";
import { Session } from "node:inspector";

/** How a piece of JavaScript ended: it ran to its end, it threw, or it was terminated from outside. */
export type Evaluation =
  | { readonly status: "done" }
  | { readonly status: "threw"; readonly error: unknown }
  | { readonly status: "terminated" };

const session = new Session();
session.connect();

/** Where the inspector puts a thrown value, so that we get the value itself and no description of it. */
const catcher: { thrown: unknown } = { thrown: undefined };
const catcherKey = "__tesseraCatcher__";
const group = "cell";

/** The inspector's name for `catcher`. */
let catcherId: string | undefined;

function catcherObject(): string {
  if (catcherId !== undefined) return catcherId;
  const globals = globalThis as unknown as Record<string, unknown>;
  globals[catcherKey] = catcher;
  session.post("Runtime.evaluate", { expression: catcherKey, objectGroup: "catcher" }, (_error, { result }) => {
    catcherId = result.objectId;
  });
  delete globals[catcherKey];
  if (catcherId === undefined) throw new Error("internal: the inspector must answer at once in its own thread");
  return catcherId;
}

/**
 * Evaluates a script in V8's REPL mode: top-level `let` and `class` may be declared again, functions of earlier scripts
 * see the newest value, and `await` is allowed. Everything until the first `await` has run when this function returns.
 *
 * @param name what stack frames call the script
 */
export function evaluate(javascript: string, name: string): Promise<Evaluation> {
  return new Promise((resolve) => {
    // @types/node describes an older inspector.
    const parameters: Runtime.EvaluateParameterType & { replMode: boolean } = {
      expression: `${javascript}\n//# sourceURL=${name}`,
      replMode: true,
      awaitPromise: true,
      objectGroup: group,
    };
    session.post("Runtime.evaluate", parameters, (error, answer) => {
      const details = answer?.exceptionDetails;
      if (error || details === undefined) {
        // The inspector itself fails only for code that was terminated.
        resolve({ status: error ? "terminated" : "done" });
      } else if (details.exception === undefined) {
        resolve({ status: "terminated" });
      } else {
        resolve({ status: "threw", error: thrownValue(details.exception) });
      }
      session.post("Runtime.releaseObjectGroup", { objectGroup: group });
    });
  });
}

/** The value itself behind the inspector's description of it. */
function thrownValue({ objectId, unserializableValue, value }: Runtime.RemoteObject): unknown {
  const argument = objectId ? { objectId } : unserializableValue ? { unserializableValue } : { value };
  session.post("Runtime.callFunctionOn", {
    objectId: catcherObject(),
    functionDeclaration: "function (thrown) { this.thrown = thrown; }",
    arguments: [argument],
  });
  const { thrown } = catcher;
  catcher.thrown = undefined;
  return thrown;
}

// The first question costs the most; it is asked before any cell runs.
catcherObject();

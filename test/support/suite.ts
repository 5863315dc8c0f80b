import * as uvu from "uvu";

/** What one suite promises the guard: that it is run, and why some of it may be left out. */
export interface SuiteRecord {
  readonly name: string;
  ran: boolean;
  readonly hookErrors: { hook: string; error: unknown }[];
  readonly skipped: { test: string; reason: string }[];
}

type Handler = () => void | Promise<void>;
type Hook = { (handler: Handler): void; each(handler: Handler): void };

/** A uvu suite whose omissions are visible: a skip needs a reason, and a hook that throws is remembered. */
export interface Suite {
  (name: string, handler: Handler): void;
  before: Hook;
  after: Hook;
  /** Leaves one test out and reports it by name with the reason. */
  skip(name: string, reason: string): void;
  run(): void;
}

/** Read by run-file.ts after a test file has been imported. */
export const records: SuiteRecord[] = [];

/**
 * Creates a suite of tests named by behaviour.
 *
 * @param name what is being tested
 * @param missing the reason why the whole suite cannot run on this machine; every test is then reported as skipped
 */
export function suite(name: string, missing?: string | false): Suite {
  const inner = uvu.suite(name);
  const record: SuiteRecord = { name, ran: false, hookErrors: [], skipped: [] };
  records.push(record);

  const skip = (test: string, reason: string): void => {
    record.skipped.push({ test, reason });
    inner.skip(test, () => {});
  };
  // uvu returns from a `finally` block and so loses what a hook threw.
  const guarded = (hook: string, handler: Handler): Handler => {
    return async () => {
      try {
        await handler();
      } catch (error) {
        record.hookErrors.push({ hook, error });
        throw error;
      }
    };
  };
  const hooks = (key: "before" | "after"): Hook => {
    const once = (handler: Handler): void => {
      if (!missing) inner[key](guarded(key, handler));
    };
    return Object.assign(once, {
      each(handler: Handler): void {
        if (!missing) inner[key].each(guarded(`${key}.each`, handler));
      },
    });
  };

  const add = (test: string, handler: Handler): void => {
    if (missing) skip(test, missing);
    else inner(test, handler);
  };
  return Object.assign(add, {
    before: hooks("before"),
    after: hooks("after"),
    skip,
    run(): void {
      record.ran = true;
      inner.run();
    },
  });
}

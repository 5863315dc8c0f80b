// The engine in a real browser: bundled, served by a plain server, with and without isolation from other origins.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import * as assert from "uvu/assert";
import { chromiumArguments, findChromium, projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { type Work, work } from "./browser-work.ts";
import { difference } from "./wasm-cases.ts";

const found = findChromium();
const test = suite("the engine in Chromium", "missing" in found && found.missing);

let browser: Browser;
const files = new Map<string, string>([["/", "<!doctype html><title>engine</title>"]]);
const servers: Server[] = [];

test.before(async () => {
  const { outputFiles } = await build({
    entryPoints: {
      "browser-work": join(projectRoot, "test/lib/engine/browser-work.ts"),
      "web-thread": join(projectRoot, "lib/engine/wasm/web-thread.ts"),
    },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    outdir: "/",
    write: false,
    logLevel: "silent",
  });
  for (const { path, text } of outputFiles) files.set(path, text);
  browser = await chromium.launch({
    executablePath: (found as { chromium: string }).chromium,
    args: [...chromiumArguments],
  });
});
test.after(async () => {
  await browser?.close();
  for (const server of servers) server.close();
});

/** Serves the files from memory. */
async function serve(isolated: boolean): Promise<string> {
  const server = createServer((request, response) => {
    const text = files.get(request.url ?? "");
    if (text === undefined) {
      response.writeHead(404).end();
      return;
    }
    const headers: Record<string, string> = { "Content-Type": request.url === "/" ? "text/html" : "text/javascript" };
    if (isolated) {
      headers["Cross-Origin-Opener-Policy"] = "same-origin";
      headers["Cross-Origin-Embedder-Policy"] = "require-corp";
    }
    response.writeHead(200, headers).end(text);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Does the work with two threads in a page, or in a worker of the page. */
async function workIn(where: "page" | "worker", isolated: boolean): Promise<Work> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(await serve(isolated));
    assert.is(await page.evaluate(() => crossOriginIsolated), isolated);
    // As text: an import in a function would be rewritten when this file is compiled.
    if (where === "page") return await page.evaluate<Work>(`import("/browser-work.js").then(({ work }) => work(2))`);
    return await page.evaluate(async (): Promise<Work> => {
      const worker = new Worker("/browser-work.js", { type: "module" });
      const answer = new Promise<Work>((resolve, reject) => {
        worker.onmessage = ({ data }) => ("error" in data ? reject(new Error(data.error)) : resolve(data));
        worker.onerror = (event) => reject(new Error(event.message));
      });
      worker.postMessage(2);
      return answer.finally(() => worker.terminate());
    });
  } finally {
    await context.close();
  }
}

for (const [where, isolated, shared] of [
  ["page", false, false],
  ["page", true, false],
  ["worker", false, false],
  ["worker", true, true],
] as const) {
  const origin = isolated ? "isolated from other origins" : "not isolated";
  test(`in a ${where} that is ${origin} training ${shared ? "shares memory among threads" : "runs on one thread"} and comes out as in Node`, async () => {
    const inBrowser = await workIn(where, isolated);
    const { losses } = await work(1);
    assert.is(inBrowser.shared, shared);
    assert.ok(difference(losses, inBrowser.losses) <= 1e-5, `${inBrowser.losses} is not ${losses}`);
    assert.ok(losses[9] < losses[0]);
  });
}

test.run();

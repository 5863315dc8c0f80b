import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { kernelspec } from "../../../kernel/install.ts";
import type { Message } from "../../../kernel/protocol/index.ts";
import { KernelClient, outputs, printed, result } from "../../support/kernel-client.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const test = suite("the messaging protocol, spoken to a real kernel");

const folder = temporaryFolder();
let kernel: KernelClient;
test.before(async () => {
  kernel = await KernelClient.start({ workingDirectory: folder, environment: { XDG_DATA_HOME: folder } });
});
test.after(async () => {
  await kernel.stop();
});

const busyLoop = (milliseconds: number): string =>
  `{ const until = Date.now() + ${milliseconds}; while (Date.now() < until); }`;

test("greets who begins to listen, by the name of the subscription", () => {
  const [first] = kernel.published;
  assert.is(first.header.msg_type, "iopub_welcome");
  assert.equal(first.content, { subscription: "" });
});

test("says what it is, on shell and control", async () => {
  for (const channel of ["shell", "control"] as const) {
    const { content } = (await kernel.request("kernel_info_request", {}, channel)).reply;
    assert.is(content.status, "ok");
    assert.is(content.protocol_version, "5.5");
    assert.is(content.implementation, "tessera");
    assert.is((content.language_info as { name: string }).name, "typescript");
    assert.equal(content.supported_features, ["kernel subshells"]);
  }
});

test("frames every request by busy and idle, under that request's header", async () => {
  const { published, reply } = await kernel.request("kernel_info_request", {});
  assert.equal(
    published.map(({ content }) => content.execution_state),
    ["busy", "idle"],
  );
  assert.is(reply.header.msg_type, "kernel_info_reply");
});

test("completes names, members and what earlier cells declared, with their kinds", async () => {
  await kernel.execute("const station = { platform: 9, plateau: 1 }");
  const code = "1 + station.pla";
  const { content } = (await kernel.request("complete_request", { code, cursor_pos: code.length })).reply;
  assert.equal(content.matches, ["plateau", "platform"]);
  assert.equal([content.cursor_start, content.cursor_end], [12, 15]);
  const { _jupyter_types_experimental: kinds } = content.metadata as Record<string, { text: string; type: string }[]>;
  assert.equal(
    kinds.map(({ text, type }) => [text, type]),
    [
      ["plateau", "property"],
      ["platform", "property"],
    ],
  );
});

test("calls what the library offers by its own kind", async () => {
  const kindOf = async (code: string): Promise<unknown> => {
    const { metadata } = (await kernel.request("complete_request", { code, cursor_pos: code.length })).reply.content;
    return (metadata as Record<string, { type: string }[]>)._jupyter_types_experimental[0].type;
  };
  assert.equal(
    [await kindOf("nn.dens"), await kindOf("tenso"), await kindOf("dataset")],
    ["function", "function", "module"],
  );
});

test("completes the names of modules, files beside the notebook, and what a string's type allows", async () => {
  mkdirSync(join(folder, "tables"));
  for (const name of ["helper.ts", "helper.d.ts", "help.txt", "tables/one.csv"]) writeFileSync(join(folder, name), "");
  const complete = async (code: string): Promise<unknown> => {
    const { content } = (await kernel.request("complete_request", { code, cursor_pos: code.length })).reply;
    return [code.slice(0, Number(content.cursor_start)), content.matches];
  };
  assert.equal(await complete(`import { get } from "node:htt`), [
    `import { get } from "`,
    ["node:http", "node:http2", "node:https"],
  ]);
  assert.equal(await complete(`import { help } from "./he`), [`import { help } from "`, ["./helper.ts"]]);
  assert.equal(await complete(`await import("./ta`), [`await import("`, ["./tables/"]]);
  assert.equal(await complete(`readFileSync('hel`), [`readFileSync('`, ["help.txt", "helper.d.ts", "helper.ts"]]);
  assert.equal(await complete(`readFileSync("tables/o`), [`readFileSync("`, ["tables/one.csv"]]);
  assert.equal(await complete(`const shade: "light" | "dark" = "d`), [`const shade: "light" | "dark" = "`, ["dark"]]);
  assert.equal(await complete(`"nothing begins like this`), [`"`, []]);
});

test("counts cursors in code points", async () => {
  const code = "'🚋🚋'; station.pla";
  const { content } = (await kernel.request("complete_request", { code, cursor_pos: [...code].length })).reply;
  assert.equal([content.cursor_start, content.cursor_end], [14, 17]);
});

test("inspects a name, and the function in whose call the cursor stands", async () => {
  await kernel.execute("/** Doubles.\n * @param n what to double */\nfunction double(n: number) { return 2 * n }");
  for (const code of ["double", "double(1, "]) {
    const { content } = (await kernel.request("inspect_request", { code, cursor_pos: code.length, detail_level: 0 }))
      .reply;
    const data = content.data as Record<string, string>;
    assert.is(content.found, true);
    assert.match(data["text/plain"], "function double(n: number): number");
    assert.match(data["text/markdown"], "Doubles.");
  }
  const { content } = (await kernel.request("inspect_request", { code: "  ", cursor_pos: 1, detail_level: 0 })).reply;
  assert.is(content.found, false);
  const unknown = await kernel.request("inspect_request", { code: "nowhere", cursor_pos: 3, detail_level: 0 });
  assert.is(unknown.reply.content.found, false);
});

const parsed = `const parsed = JSON.parse('{"users":[{"name":"Ada","age":36}],"total-count":2}')`;

test("completes members that only the value has, where its type is any", async () => {
  await kernel.execute(parsed);
  const complete = async (code: string): Promise<unknown> => {
    const { content } = (await kernel.request("complete_request", { code, cursor_pos: code.length })).reply;
    return [code.slice(0, content.cursor_start as number), content.matches];
  };
  assert.equal(await complete("parsed."), ["parsed.", ["users"]]);
  assert.equal(await complete("parsed.us"), ["parsed.", ["users"]]);
  assert.equal(await complete("1 + parsed.users[0].a"), ["1 + parsed.users[0].", ["age"]]);
  assert.equal(await complete('parsed["'), ['parsed["', ["users", "total-count"]]);
  assert.equal(await complete("parsed.users.fla"), ["parsed.users.", ["flat", "flatMap"]]);
  // A name of its own inside of a function is another one; and what has to be run is not.
  assert.equal(await complete("const f = (parsed: any) => parsed.us"), ["const f = (parsed: any) => parsed.", []]);
  await kernel.execute("let asked = 0; const lazy: any = { get secret() { asked++; return { a: 1 } } }");
  assert.equal(await complete("lazy.secret."), ["lazy.secret.", []]);
  const trap = "new Proxy({}, { getOwnPropertyDescriptor() { asked++; return undefined } })";
  await kernel.execute(`const child: any = Object.create(${trap})`);
  assert.equal(await complete("child.deep."), ["child.deep.", []]);
  assert.is(result(await kernel.execute("asked")), "0");
});

test("inspects a value beside its type, and alone where types know nothing", async () => {
  await kernel.execute(parsed);
  const inspect = async (code: string): Promise<string> => {
    const { content } = (await kernel.request("inspect_request", { code, cursor_pos: code.length, detail_level: 0 }))
      .reply;
    return (content.data as Record<string, string>)["text/plain"];
  };
  assert.is(await inspect("parsed"), "const parsed: any\n\n{ users: [ { name: 'Ada', age: 36 } ], 'total-count': 2 }");
  assert.is(await inspect("parsed.users[0].name"), "'Ada'");
  assert.match(
    (await kernel.execute("?parsed.users")).published.map(({ content }) => JSON.stringify(content)).join(),
    "Ada",
  );
});

test("tells what the library offers as if it were declared in the notebook", async () => {
  const { content } = (await kernel.request("inspect_request", { code: "nn.dense", cursor_pos: 8, detail_level: 0 }))
    .reply;
  assert.match(
    (content.data as Record<string, string>)["text/plain"],
    /^function dense\(units: number.*\): nn.Layer\n\n/,
  );
});

test("says when a cell began, for front ends that note how long it took", async () => {
  const { reply, published } = await kernel.execute("1");
  const began = Date.parse(String((reply.metadata as { started?: string }).started));
  assert.ok(began <= Date.parse(reply.header.date) && began >= Date.parse(published[0].header.date) - 1000);
});

test("answers within a moment while a cell loops: completion, inspection, control and heartbeat", async () => {
  const id = kernel.send("execute_request", { code: `${busyLoop(2500)} 'over'` });
  const ended = kernel.reply(id);
  let over = false;
  void ended.then(() => {
    over = true;
  });
  await kernel.until(({ header, parent_header: p }) => p.msg_id === id && header.msg_type === "execute_input");
  await kernel.request("complete_request", { code: "stat", cursor_pos: 4 });
  await kernel.request("inspect_request", { code: "station", cursor_pos: 3, detail_level: 0 });
  await kernel.request("kernel_info_request", {}, "control");
  assert.is(await kernel.heartbeat("tick"), "tick");
  assert.not(over);
  // Front ends take the last status for the kernel's: it must still be busy with the cell.
  const lastStatus = (): Message => kernel.published.filter(({ header }) => header.msg_type === "status").slice(-1)[0];
  await kernel.until(() => lastStatus().content.execution_state === "busy");
  assert.is(lastStatus().parent_header.msg_id, id);
  assert.not(over);
  await ended;
});

const completeness: readonly [code: string, status: string][] = [
  ["1 + 1", "complete"],
  ["const f = (n: number) =>", "incomplete"],
  ["await Promise.resolve(1)", "complete"],
  ["if (true) {", "incomplete"],
  ["`text", "incomplete"],
  ["/* text", "incomplete"],
  ["'text", "invalid"],
  ["const = 1", "invalid"],
  ["f)", "invalid"],
];
for (const [code, status] of completeness) {
  test(`calls ${JSON.stringify(code)} ${status}`, async () => {
    assert.is((await kernel.request("is_complete_request", { code })).reply.content.status, status);
  });
}

test("remembers inputs on disk, by tail, range and search", async () => {
  const code = "'a rare phrase ' + 1";
  const { reply } = await kernel.execute(code);
  await kernel.execute("'unremembered'", { store_history: false });
  const find = async (request: object): Promise<unknown[]> =>
    (await kernel.request("history_request", { raw: true, output: false, ...request })).reply.content
      .history as unknown[];
  const [[session, line, input]] = (await find({ hist_access_type: "tail", n: 1 })) as [number, number, string][];
  assert.equal([line, input], [Number(reply.content.execution_count), code]);
  assert.equal(await find({ hist_access_type: "range", session: 0, start: line, stop: line + 1 }), [
    [session, line, code],
  ]);
  await kernel.execute(code);
  assert.is((await find({ hist_access_type: "search", pattern: "*rare phrase*" })).length, 2);
  assert.is((await find({ hist_access_type: "search", pattern: "*rare phrase*", unique: true })).length, 1);
  const file = join(folder, "tessera/history.jsonl");
  assert.ok(existsSync(file));
  assert.match(readFileSync(file, "utf8"), "a rare phrase");
});

test("asks the reader, and hides what is secret", async () => {
  const asked: unknown[] = [];
  kernel.onInput = (content) => {
    asked.push(content);
    return `answer ${asked.length}`;
  };
  const done = await kernel.execute("[prompt('Name?'), password('Word?')].join()", { allow_stdin: true });
  assert.is(result(done), "'answer 1,answer 2'");
  assert.equal(asked, [
    { prompt: "Name?", password: false },
    { prompt: "Word?", password: true },
  ]);
  const refused = await kernel.execute("prompt('Name?')", { allow_stdin: false });
  assert.match(String(refused.reply.content.evalue), "the front end must be able to ask");
});

test("opens, feeds and closes comms from both ends", async () => {
  await kernel.execute(
    "let heard: any[] = []; comms.registerTarget('test', (comm, { data }) => { heard.push(data); comm.onMessage = ({ data, buffers }) => { heard.push(data, buffers[0]?.length); comm.send({ echo: data }, [new Uint8Array(3)]) } })",
  );
  kernel.send("comm_open", { comm_id: "one", target_name: "test", data: { a: 1 } });
  kernel.send("comm_msg", { comm_id: "one", data: { b: 2 } }, "shell", { buffers: [new Uint8Array(5)] });
  const echo = await kernel.until(({ header, content }) => header.msg_type === "comm_msg" && content.comm_id === "one");
  assert.equal(echo.content.data, { echo: { b: 2 } });
  assert.is(echo.buffers[0].length, 3);
  assert.is(result(await kernel.execute("JSON.stringify(heard)")), `'[{"a":1},{"b":2},5]'`);
  const info = await kernel.request("comm_info_request", { target_name: "test" });
  assert.equal(info.reply.content.comms, { one: { target_name: "test" } });
  kernel.send("comm_close", { comm_id: "one", data: {} });
  assert.equal((await kernel.request("comm_info_request", {})).reply.content.comms, {});
  const opened = await kernel.execute("const comm = comms.open('elsewhere', { c: 3 })");
  assert.equal(
    outputs(opened, "comm_open").map(({ target_name, data }) => [target_name, data]),
    [["elsewhere", { c: 3 }]],
  );
});

test("closes a comm to a target that nobody registered", async () => {
  kernel.send("comm_open", { comm_id: "stray", target_name: "unknown", data: {} });
  await kernel.until(({ header, content }) => header.msg_type === "comm_close" && content.comm_id === "stray");
});

test("offers controls in the protocol of ipywidgets, which both ends move", async () => {
  const opened = await kernel.execute(`
    const rate = controls.slider({ label: "rate", min: 0, max: 1, step: 0.1, value: 0.5 })
    let chosen: unknown[] = []
    const strategy = controls.choice({ label: "strategy", options: ["keep", "drop"] })
    const ready = controls.checkbox({ value: true }), note = controls.text({ value: "n" })
    strategy.onChange = (value) => chosen.push(value)
    controls.button({ label: "Go", onPress: () => chosen.push("pressed") })`);
  assert.is(opened.reply.content.status, "ok", String(opened.reply.content.evalue));
  const models = outputs(opened, "comm_open").map(({ comm_id, data }) => ({
    id: String(comm_id),
    state: (data as { state: Record<string, unknown> }).state,
  }));
  const model = (name: string) => models.find(({ state }) => state._model_name === `${name}Model`) ?? models[0];
  const slider = model("FloatSlider");
  assert.equal([slider.state.min, slider.state.max, slider.state.value, slider.state.description], [0, 1, 0.5, "rate"]);
  assert.ok(models.some(({ id }) => slider.state.style === `IPY_MODEL_${id}`));
  const tell = (name: string, data: object): string =>
    kernel.send("comm_msg", { comm_id: model(name).id, data }, "shell");
  tell("FloatSlider", { method: "update", state: { value: 0.7 }, buffer_paths: [] });
  tell("Dropdown", { method: "update", state: { index: 1 }, buffer_paths: [] });
  tell("Checkbox", { method: "update", state: { value: false }, buffer_paths: [] });
  tell("Text", { method: "update", state: { value: "typed" }, buffer_paths: [] });
  tell("Button", { method: "custom", content: { event: "click" }, buffer_paths: [] });
  const values = "[rate.value, strategy.value, ready.value, note.value, ...chosen].join()";
  assert.is(result(await kernel.execute(values)), "'0.7,drop,false,typed,drop,pressed'");
  const shown = await kernel.execute("rate.value = 0.2; rate");
  const [{ data }] = outputs(shown, "comm_msg");
  assert.equal(data, { method: "update", state: { value: 0.2 }, buffer_paths: [] });
  assert.equal(outputs(shown, "execute_result")[0].data, {
    "application/vnd.jupyter.widget-view+json": { version_major: 2, version_minor: 0, model_id: slider.id },
    "text/plain": "rate: 0.2",
  });
  // A page that is opened later asks every model where it stands.
  const asked = tell("FloatSlider", { method: "request_state" });
  await kernel.idle(asked);
  const answer = await kernel.until(({ content }) => {
    const { state } = (content.data ?? {}) as { state?: Record<string, unknown> };
    return content.comm_id === slider.id && state?.min === 0 && state.value === 0.2;
  });
  assert.is(answer.header.msg_type, "comm_msg");
  const wrong = await kernel.execute("controls.slider({ min: 1, max: 0 })");
  assert.match(String(wrong.reply.content.evalue), "slider: min must lie below max");
});

test("lets the front end speak to a cell that awaits", async () => {
  const id = kernel.send("execute_request", {
    code: "const value = await new Promise((resolve) => { comms.registerTarget('slider', (_comm, { data }) => resolve(data.value)); console.log('listens') }); value",
  });
  await kernel.until(({ content, parent_header: p }) => p.msg_id === id && content.text === "listens\n");
  kernel.send("comm_open", { comm_id: "slide", target_name: "slider", data: { value: 7 } });
  assert.is((await kernel.reply(id)).content.status, "ok");
  const { content } = await kernel.until(
    ({ header, parent_header: p }) => p.msg_id === id && header.msg_type === "execute_result",
  );
  assert.equal(content.data, { "text/plain": "7" });
});

test("runs a subshell's cell while the main shell's cell awaits", async () => {
  const { subshell_id: subshell } = (await kernel.request("create_subshell_request", {}, "control")).reply.content;
  assert.equal((await kernel.request("list_subshell_request", {}, "control")).reply.content.subshell_id, [subshell]);
  const main = kernel.send("execute_request", {
    code: "let wake = () => {}; await new Promise<void>((resolve) => { wake = resolve; console.log('waits') })",
  });
  const ended = kernel.reply(main);
  await kernel.until(({ content, parent_header: p }) => p.msg_id === main && content.text === "waits\n");
  const request = { code: "wake(); 'woken'" };
  const inSubshell = await kernel.request("execute_request", request, "shell", { header: { subshell_id: subshell } });
  assert.is(result(inSubshell), "'woken'");
  await ended;
  assert.is(
    (await kernel.request("delete_subshell_request", { subshell_id: subshell }, "control")).reply.content.status,
    "ok",
  );
});

test("shows every media type, by id, and updates and clears", async () => {
  const done = await kernel.execute(`
    display.html("<b>h</b>"); display.markdown("*m*"); display.latex("$l$"); display.svg("<svg/>"); display.json({ a: [1] })
    display.javascript("1"); display.text("t"); display.png(Uint8Array.of(137, 80)); display.jpeg("aGk=")
    const shown = display({ plain: 1 }, { id: "mine" }); shown.update("second"); clearOutput({ wait: true })`);
  const data = outputs(done, "display_data").map((content) => content.data as Record<string, unknown>);
  assert.equal(data.slice(0, 9), [
    { "text/html": "<b>h</b>" },
    { "text/markdown": "*m*" },
    { "text/latex": "$l$" },
    { "image/svg+xml": "<svg/>" },
    { "application/json": { a: [1] } },
    { "text/javascript": "1" },
    { "text/plain": "t" },
    { "image/png": "iVA=" },
    { "image/jpeg": "aGk=" },
  ]);
  const [update] = outputs(done, "update_display_data");
  assert.equal(update.data, { "text/plain": "'second'" });
  assert.equal(update.transient, { display_id: "mine" });
  assert.equal(outputs(done, "clear_output"), [{ wait: true }]);
});

test("draws objects by their own method, and plain data by its kind", async () => {
  const own = await kernel.execute(
    `({ [Symbol.for("Jupyter.display")]: () => ({ "text/html": "<i>own</i>", "text/plain": "own" }) })`,
  );
  assert.equal(outputs(own, "execute_result")[0].data, { "text/html": "<i>own</i>", "text/plain": "own" });
  const sized = await kernel.execute(
    `({ [Symbol.for("Jupyter.display")]: () => [{ "text/plain": "own" }, { "text/plain": { size: 3 } }] })`,
  );
  assert.equal(outputs(sized, "execute_result")[0].metadata, { "text/plain": { size: 3 } });
  await kernel.execute(
    `display.register("test-kind", async ({ n }: { n: number }) => ({ "text/html": "n = " + n, "text/plain": "n" }))`,
  );
  const kind = await kernel.execute(`({ kind: "test-kind", n: 3 })`);
  assert.equal(outputs(kind, "execute_result")[0].data, { "text/html": "n = 3", "text/plain": "n" });
  const later = await kernel.execute(`display({ kind: "test-kind", n: 4 }); 0`);
  assert.equal((outputs(later, "update_display_data")[0].data as Record<string, string>)["text/html"], "n = 4");
});

test("moves one progress bar in its place", async () => {
  const done = await kernel.execute(
    "for (const x of progress([1, 2, 3], { title: 'Steps' })) await new Promise((r) => setTimeout(r, 120))",
  );
  const first = outputs(done, "display_data");
  const updates = outputs(done, "update_display_data");
  assert.is(first.length, 1);
  assert.ok(updates.length >= 2);
  assert.equal(
    new Set([...first, ...updates].map(({ transient }) => (transient as { display_id: string }).display_id)).size,
    1,
  );
  assert.match((updates[updates.length - 1].data as Record<string, string>)["text/plain"], /Steps 100 % .*3\/3/);
});

test("runs notebooks that use tslab's display", async () => {
  const done = await kernel.execute(
    `import * as tslab from "tslab"; const d = tslab.newDisplay(); d.text("one"); d.text("two"); tslab.display.html("<b>x</b>")`,
  );
  assert.is(done.reply.content.status, "ok", String(done.reply.content.evalue));
  assert.equal(
    outputs(done, "display_data").map(({ data }) => data),
    [{ "text/plain": "one" }, { "text/html": "<b>x</b>" }],
  );
  assert.equal(
    outputs(done, "update_display_data").map(({ data }) => data),
    [{ "text/plain": "two" }],
  );
});

test("loses no line of a hundred thousand, and keeps their order", async () => {
  const done = await kernel.execute("for (let i = 0; i < 100_000; i++) console.log(i)");
  assert.ok(printed(done) === Array.from({ length: 100_000 }, (_, i) => `${i}\n`).join(""));
});

test("makes a loop wait that prints more than can be passed on, rather than die of it", async () => {
  const stopped = kernel.reply(
    kernel.send("execute_request", { code: "for (;;) process.stdout.write('x'.repeat(1e6))" }),
  );
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await kernel.request("interrupt_request", {}, "control");
  assert.is((await stopped).content.ename, "Interrupted");
  assert.is(printed(await kernel.execute("console.log('still here')")), "still here\n");
});

test("drops what is signed wrongly, and broken frames, and answers on", async () => {
  const message = kernel.message("execute_request", { code: "console.log('never')" });
  const part = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const forged = [part(message.header), part({}), part({}), part(message.content)];
  await kernel.sendRaw("shell", [Buffer.from("<IDS|MSG>"), Buffer.from("00".repeat(32)), ...forged]);
  for (let round = 0; round < 300; round++) {
    const frames = Array.from({ length: round % 7 }, (_, i) =>
      Buffer.from(Array.from({ length: (round * i) % 50 }, (_, k) => (k * round) % 256)),
    );
    if (round % 3 === 0) frames.unshift(Buffer.from("<IDS|MSG>"));
    await kernel.sendRaw(round % 2 === 0 ? "shell" : "control", [Buffer.from("x"), ...frames]);
  }
  assert.is(result(await kernel.execute("'still here'")), "'still here'");
  assert.match(kernel.log, "must be signed with the key");
  assert.not(kernel.published.some(({ content }) => content.text === "never\n"));
});

test("ignores a request that it does not know, and one without code", async () => {
  kernel.send("unheard_of_request", {});
  const { reply } = await kernel.request("execute_request", {});
  assert.is(reply.content.status, "error");
  assert.is(result(await kernel.execute("1")), "1");
});

test("outlives a full heap, and says that the values are lost", async () => {
  const small = await KernelClient.start({ environment: { NODE_OPTIONS: "--max-old-space-size=120" } });
  try {
    await small.execute("const gone = 1");
    const done = await small.execute("const full: number[][] = []; while (true) full.push(new Array(1e5).fill(1.5))");
    assert.is(done.reply.content.ename, "RealmLost");
    assert.match(String(done.reply.content.evalue), "heap was full");
    assert.match(String((await small.execute("gone")).reply.content.evalue), "Cannot find name 'gone'");
    assert.is(result(await small.execute("6 * 7")), "42");
  } finally {
    await small.stop();
  }
});

test("what the kernelspec sets for the kernel's process is not in the environment of cells", async () => {
  const { argv, env } = kernelspec();
  const command = (file: string): string[] => argv.map((part) => (part === "{connection_file}" ? file : part));
  const started = await KernelClient.start({ command, environment: { ...env, MARK: "given" } });
  try {
    const names = JSON.stringify([...Object.keys(env), "MARK"]);
    assert.is(result(await started.execute(`${names}.map((name) => process.env[name]).join()`)), "',given'");
  } finally {
    await started.stop();
  }
});

for (const restart of [false, true]) {
  test(`shuts down when asked to${restart ? " for a restart" : ""}, and says so to everyone`, async () => {
    const other = await KernelClient.start();
    const id = other.send("shutdown_request", { restart }, "control");
    const exited = new Promise((resolve) => other.child.once("exit", resolve));
    assert.equal((await other.reply(id)).content, { status: "ok", restart });
    await other.until(({ header }) => header.msg_type === "shutdown_reply");
    assert.is(await exited, 0);
    await other.stop();
  });
}

test.run();

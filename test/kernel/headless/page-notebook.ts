import { deflateSync } from "node:zlib";
import type { CodeCell, Notebook, Output } from "../../../kernel/headless/index.ts";
import { notebookOf } from "./fixtures.ts";

/** What looks like the data of a figure; text that would end a script must not end it. */
export const placeholderFigure = { kind: "graph", nodes: ["a</script>", "b"] };

/** A notebook that holds, already executed, every form of prose and output that a page shows. */
export function everyForm(): Notebook {
  return notebookOf(
    prose(`# Deep or shallow?

A *neuron* multiplies each input $x_i$ by a weight $w_i$, adds a bias $b$, and passes the sum through a function
$\\varphi$ that is not linear:

$$
y = \\varphi\\!\\left(\\sum_{i=1}^{n} w_i x_i + b\\right), \\qquad \\varphi(z) = \\max(0, z).
$$

A picture costs $5, not $6. Escaped: \\$x\\$. See [memory](#Memory-over-time) and <https://example.org/paper>.`),
    prose(`## A layer

| layer | shape | parameters |
|---|---|---:|
| dense | 784 → 128 | 100,480 |
| dense | 128 → 10 | 1,290 |

1. Read the data.
2. Fit both networks with \`program.fit\`.

> A result that looks too good is a bug until shown otherwise.`),
    executed(
      1,
      `// One hidden layer against eight.
const { train, test } = await datasets.mnist()
const shallow = nn.sequential([nn.flatten(), nn.dense(128), nn.relu(), nn.dense(10)], { input: [28, 28], seed: 1 })
interface Result<T extends number> { readonly error: T }
console.log(\`\${train.length} images\`, /\\d+/.test("a<b"))`,
      stream("60000 images true\n"),
    ),
    executed(
      2,
      "program.summary",
      result({
        "text/plain": "shallow  2.1 %\ndeep     1.9 %",
        "text/html":
          "<table><thead><tr><th>network</th><th>test error</th></tr></thead><tbody><tr><td>shallow</td><td>2.1 %</td></tr><tr><td>deep</td><td>1.9 %</td></tr></tbody></table>",
      }),
    ),
    prose(
      "## Memory over time\n\n### What grows with the batch\n\nActivations, and only they:\n\n\\begin{align}\nM(b) &= M_w + b \\cdot M_a \\\\\n     &\\in \\mathcal{O}(b)\n\\end{align}",
    ),
    {
      ...executed(
        3,
        "program.memory",
        display({ "image/png": png(640, 240), "text/plain": "Memory over time: peak 12.4 MB at step 17" }),
      ),
      metadata: {
        execution: {
          "iopub.status.busy": "2026-01-01T00:00:00.000Z",
          "shell.execute_reply": "2026-01-01T00:00:12.400Z",
        },
      },
    },
    executed(
      4,
      "program.graph",
      result({
        "application/vnd.tessera.v1+json": placeholderFigure,
        "image/png": png(640, 200),
        "text/plain": "Operator graph: 24 operators",
      }),
    ),
    executed(
      5,
      `console.warn("rate is large")\nconsole.log("\\x1b[1;32mgreen\\x1b[0m \\x1b[38;5;208morange\\x1b[0m")`,
      stream("rate is large\n", "stderr"),
      stream(
        "\x1b[1;32mgreen\x1b[0m \x1b[38;5;208morange\x1b[0m \x1b[7minverse\x1b[0m \x1b[38;2;10;120;200mtrue\x1b[0m <b>\n",
      ),
      stream("epoch 1\repoch 2\repoch 3\n"),
    ),
    executed(
      6,
      "display.many()",
      display({ "text/markdown": "**bold** and $e^{i\\pi} = -1$" }),
      display({ "text/latex": "$$\\int_0^1 x^2\\,dx = \\tfrac13$$" }),
      display({ "application/json": { rate: 0.1, layers: [128, 10], name: "<deep>" } }),
      display({
        "image/svg+xml":
          '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="24"><rect width="120" height="24" fill="#0b5f8a"/></svg>',
      }),
      display({ "image/jpeg": "/9j/4AAQSkZJRg==" }, { "image/jpeg": { alt: "a photograph", width: 32, height: 8 } }),
      display({ "application/javascript": "element.textContent = 'written by a script' + '</script>'.length" }),
      display({ "application/vnd.unknown": "x" }),
    ),
    {
      ...executed(7, "secret()", stream("hidden input\n")),
      metadata: { tags: ["hide-input"] },
    },
    { cell_type: "raw", source: "<raw & plain>", metadata: {} },
    { cell_type: "raw", source: "<hr class='raw-html'>", metadata: { raw_mimetype: "text/html" } },
    { cell_type: "raw", source: "\\LaTeX{}", metadata: { raw_mimetype: "text/latex" } },
    {
      cell_type: "markdown",
      source: "## Pictures\n\n![a tile](attachment:tile.png) and ![far away](https://example.org/far.png)",
      metadata: {},
      attachments: { "tile.png": { "image/png": png(24, 24) } },
    },
    executed(8, "broken(1)", {
      output_type: "error",
      ename: "TypeError",
      evalue: "broken is not a function",
      traceback: [
        "\x1b[31mTypeError\x1b[0m: broken is not a function",
        "    at \x1b[36mcell8.ts:1:1\x1b[0m",
        "  1 | broken(1)",
        "    | ^",
      ],
    }),
  );
}

function prose(source: string): Notebook["cells"][number] {
  return { cell_type: "markdown", source, metadata: {} };
}

function executed(count: number, source: string, ...outputs: Output[]): CodeCell {
  return { cell_type: "code", source, metadata: {}, execution_count: count, outputs };
}

function stream(text: string, name = "stdout"): Output {
  return { output_type: "stream", name, text };
}

type Data = Extract<Output, { output_type: "display_data" }>["data"];

function display(data: Data, metadata: Data = {}): Output {
  return { output_type: "display_data", data, metadata };
}

function result(data: Data): Output {
  return { output_type: "execute_result", execution_count: null, data, metadata: {} };
}

/** A PNG with a gradient, in base64. */
function png(width: number, height: number): string {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      rows.set([40 + (180 * x) / width, 110 + (100 * y) / height, 170], y * (1 + 3 * width) + 1 + 3 * x);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunks = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...chunks]).toString("base64");
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

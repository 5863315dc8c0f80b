import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Figure } from "../../lib/plot/index.ts";
import type { Inspection } from "./inspect-model.ts";

/** Writes what was found as one page that needs nothing else: pictures as they are saved, fonts included. */
export async function writeInspectPage(path: string, { title, parts, pictures }: Inspection): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tessera-inspect-"));
  try {
    const sections: string[] = [];
    for (const [index, part] of pictures.entries()) {
      if (!(part instanceof Figure)) {
        sections.push(part.bundle()["text/html"] as string);
        continue;
      }
      const file = join(folder, `${index}.svg`);
      await part.save(file);
      // As an image of its own, so that names within one picture do not meet those of another.
      const data = (await readFile(file)).toString("base64");
      sections.push(`<img alt="${escapeHtml(part.summary)}" src="data:image/svg+xml;base64,${data}">`);
    }
    const [head] = parts;
    const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
body { max-width: 1100px; margin: 2rem auto; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; }
section { margin: 2rem 0; overflow-x: auto; } img { max-width: 100%; height: auto; }
table { border-collapse: collapse; } th, td { padding: 0.2rem 0.8rem; border-bottom: 1px solid #ddd; } caption { font-weight: 600; }
</style>
</head>
<body>
<pre>${escapeHtml(String(head))}</pre>
${sections.map((section) => `<section>${section}</section>`).join("\n")}
</body>
</html>
`;
    await writeFile(`${path}.unfinished`, page);
    await rename(`${path}.unfinished`, path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

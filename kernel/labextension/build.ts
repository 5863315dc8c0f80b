// Makes what a browser needs to draw figures: dist/assets, scripts for pages, and dist/labextension, a prebuilt JupyterLab
// extension, a folder to be copied to `labextensions/tessera` on a Jupyter data path. Needs neither Python nor webpack.
// Run it as `node dist/kernel/labextension/build.js`; it does nothing when its inputs have not changed.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Metafile } from "esbuild";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const assets = join(root, "dist/assets");
const extension = join(root, "dist/labextension");
const stampFile = join(assets, "build.json");
const plotlyFile = join(root, "node_modules/plotly.js/dist/plotly-cartesian.min.js");

const shared = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  target: "es2022",
  loader: { ".woff2": "binary" },
  logLevel: "warning",
} as const satisfies BuildOptions;

/** The inputs of the last build with their sizes and times of change. */
interface Stamp {
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: readonly string[];
}

interface Bundle {
  readonly code: Uint8Array;
  readonly metafile: Metafile;
}

async function bundle(options: BuildOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build({ ...shared, ...options, write: false, metafile: true });
  return { code: outputFiles[0].contents, metafile };
}

/** A short name for contents, so that no browser shows an old file from its cache. */
function digest(contents: Uint8Array): string {
  return createHash("sha256").update(contents).digest("hex").slice(0, 16);
}

async function describeInput(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(join(root, path));
  return `${size} ${mtimeMs}`;
}

async function isCurrent(): Promise<boolean> {
  try {
    const { inputs, outputs } = JSON.parse(await readFile(stampFile, "utf8")) as Stamp;
    await Promise.all(outputs.map((path) => stat(join(root, path))));
    const states = await Promise.all(
      Object.entries(inputs).map(async ([path, state]) => (await describeInput(path)) === state),
    );
    return states.every(Boolean);
  } catch {
    // No stamp, or a file that it names is gone: either way there is something to build.
    return false;
  }
}

/** The licences of all packages in a bundle, as they ask to travel with it. */
async function licences(metafile: Metafile): Promise<string> {
  const packages = new Set<string>(["plotly.js"]);
  for (const path of Object.keys(metafile.inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    if (name) packages.add(name);
  }
  const texts = [...packages].sort().map(async (name) => {
    const folder = join(root, "node_modules", name);
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    return `${name} ${version} (${license})\n\n${file ? await readFile(join(folder, file), "utf8") : ""}`;
  });
  const inter = await readFile(join(root, "lib/plot/assets/inter-license.txt"), "utf8");
  return [...(await Promise.all(texts)), `Inter 4.001\n\n${inter}`].join(`\n\n${"-".repeat(80)}\n\n`);
}

async function write(path: string, contents: string | Uint8Array): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, contents);
  return relative(root, path);
}

async function main(): Promise<void> {
  if (await isCurrent()) return;
  const plotly = await bundle({
    stdin: { contents: `export { default } from ${JSON.stringify(plotlyFile)}`, resolveDir: root },
    format: "esm",
  });
  const chunk = `plotly.${digest(plotly.code)}.js`;
  const page = await bundle({ entryPoints: ["lib/plot/interactive/global.ts"], format: "iife" });
  const container = await bundle({
    entryPoints: ["kernel/labextension/container.ts"],
    format: "iife",
    define: { PLOTLY_CHUNK: JSON.stringify(chunk) },
  });
  const entry = `static/container.${digest(container.code)}.js`;

  const { version, license } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const manifest = {
    name: "tessera",
    version,
    description: "Draws Tessera's figures: memory and graph views, and plotly charts",
    license,
    jupyterlab: { _build: { load: entry, extension: "./extension", mimeExtension: "./mimeExtension" } },
  };
  const notices = await licences({ inputs: { ...page.metafile.inputs, ...container.metafile.inputs }, outputs: {} });

  await rm(stampFile, { force: true });
  const fresh = `${extension}.unfinished`;
  await rm(fresh, { recursive: true, force: true });
  await write(join(fresh, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await write(join(fresh, entry), container.code);
  await write(join(fresh, "static", chunk), plotly.code);
  await write(join(fresh, "third-party-licenses.txt"), notices);
  await rm(extension, { recursive: true, force: true });
  await rename(fresh, extension);

  const outputs = [
    await write(join(assets, "tessera-figures.js"), page.code),
    await write(join(assets, "third-party-licenses.txt"), notices),
  ];
  await copyFile(plotlyFile, join(assets, "plotly-cartesian.min.js"));
  outputs.push(
    "dist/assets/plotly-cartesian.min.js",
    relative(root, join(extension, entry)),
    "dist/labextension/package.json",
  );

  const inputs = [plotly, page, container].flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const files = [...new Set(inputs), "package.json", relative(root, fileURLToPath(import.meta.url))].filter(
    (path) => path !== "<stdin>",
  );
  const states = await Promise.all(files.map(async (path) => [path, await describeInput(path)] as const));
  const stamp: Stamp = { inputs: Object.fromEntries(states), outputs };
  await write(stampFile, JSON.stringify(stamp));
}

await main();

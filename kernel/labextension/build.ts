// Makes what a browser needs to draw figures: dist/assets, scripts for pages, and dist/labextension, a prebuilt JupyterLab
// extension, a folder to be copied to `labextensions/tessera` on a Jupyter data path. Needs neither Python nor webpack.
// Run it as `node dist/kernel/labextension/build.js`; it does nothing when its inputs have not changed.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Metafile } from "esbuild";
import { betweenLicences, licences } from "../bundle/licences.ts";

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
  const bundledFiles = [page, container].flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const inter = await readFile(join(root, "lib/plot/assets/inter-license.txt"), "utf8");
  const notices = [await licences(root, bundledFiles, ["plotly.js"]), `Inter 4.001\n\n${inter}`].join(betweenLicences);

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

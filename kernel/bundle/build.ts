// Makes the bundles that realms load, from the compiled modules: run it as `node dist/kernel/bundle/build.js` behind the
// compiler. It takes half a second, so it looks at no time stamps.
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { nameOfBundle } from "./bundled.ts";
import { licences } from "./licences.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const kernel = fileURLToPath(new URL("..", import.meta.url));
const folder = join(kernel, "bundle/files");

/** What realms load: the library as a notebook sees it, and as the two sides of grading do. They share what they can. */
const realmModules = ["preload.js", "course/realms/grader.js", "course/realms/student.js"];

/** Lets each module in a bundle find what lies beside it: threads, fonts, data. */
const keepLocations: Plugin = {
  name: "keep locations",
  setup({ onLoad }) {
    onLoad({ filter: /\/dist\/.*\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const place = JSON.stringify(relative(folder, path));
      return { contents: text.replaceAll("import.meta.url", `new URL(${place}, import.meta.url).href`) };
    });
  },
};

async function main(): Promise<void> {
  const fresh = `${folder}.unfinished`;
  await rm(fresh, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: realmModules.map((path) => ({
      in: join(kernel, path),
      out: nameOfBundle(path).replace(/\.js$/, ""),
    })),
    outdir: fresh,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    // Names of classes and functions are shown to readers; a bundle may have to rename one of two that are alike.
    keepNames: true,
    external: ["@resvg/resvg-js"],
    plugins: [keepLocations],
    // Packages of the older kind ask for Node's own modules by `require`.
    banner: {
      js: 'import { createRequire as createRequireOfBundle } from "node:module";\nconst require = createRequireOfBundle(import.meta.url);',
    },
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  await writeFile(join(fresh, "third-party-licenses.txt"), await licences(root, Object.keys(metafile.inputs)));
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
}

await main();

// Rehearses in a clean clone what other machines do with this repository:
//   node dist/test/support/rehearse.js workflow [NOTEBOOK]  each `run` step of .github/workflows/notebooks.yml, in order;
//                                                           with NOTEBOOK on that one instead of all
//   node dist/test/support/rehearse.js binder               .binder/postBuild beside a new JupyterLab, and a cell in it
// The actions of GitHub (`uses`) and repo2docker's image are not there; node and python3 are this machine's.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { projectRoot } from "./environment.ts";
import { temporaryFolder } from "./temporary-folder.ts";

interface Workflow {
  readonly jobs: Readonly<
    Record<string, { readonly steps: readonly { readonly run?: string; readonly uses?: string }[] }>
  >;
}

/** Runs a command to its end, showing what it says. */
async function follow(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  console.log(`\n$ ${command} ${args.join(" ")}`);
  const started = performance.now();
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "inherit", "inherit"] });
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0)
    throw new Error(`rehearse: ${command} ${args.join(" ")} must succeed, got exit code ${code} (${cwd})`);
  console.log(`succeeded after ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

/** What is committed, and nothing else. */
async function cleanClone(): Promise<string> {
  const clone = join(temporaryFolder(), "clone");
  await follow("git", ["clone", "--quiet", projectRoot, clone], projectRoot, {});
  return clone;
}

async function rehearseWorkflow(notebook: string | undefined): Promise<void> {
  const clone = await cleanClone();
  const { jobs } = parse(readFileSync(join(clone, ".github/workflows/notebooks.yml"), "utf8")) as Workflow;
  for (const [name, { steps }] of Object.entries(jobs)) {
    for (const { run, uses } of steps) {
      if (run === undefined) console.log(`\n${name}: left out, an action of GitHub: ${uses}`);
      else {
        const line = notebook === undefined ? run : run.replace('"notebooks/*.ipynb"', notebook);
        await follow("bash", ["-e", "-c", line], clone, { CI: "true", GITHUB_ACTIONS: "true" });
      }
    }
  }
  if (statSync(join(clone, "out/junit.xml")).size === 0) throw new Error("rehearse: the report must say something");
}

async function rehearseBinder(): Promise<void> {
  const clone = await cleanClone();
  const { dependencies } = parse(readFileSync(join(clone, ".binder/environment.yml"), "utf8")) as {
    dependencies: readonly string[];
  };
  const lab = dependencies
    .find((name) => name.startsWith("jupyterlab="))
    ?.replace("=", "==")
    .concat(".*");
  if (lab === undefined) throw new Error("rehearse: .binder/environment.yml must ask for JupyterLab");
  const environment = join(temporaryFolder(), "environment");
  await follow("python3", ["-m", "venv", environment], clone, {});
  const bin = join(environment, "bin");
  await follow(join(bin, "pip"), ["install", "--quiet", "--disable-pip-version-check", lab], clone, {});
  // As in repo2docker's images: the environment's programs come first, and this names it.
  const env = { NB_PYTHON_PREFIX: environment, CONDA_PREFIX: "", PATH: `${bin}:${process.env.PATH}` };
  await follow("bash", [".binder/postBuild"], clone, env);
  await follow("jupyter", ["labextension", "list"], clone, env);
  const notebook = join(clone, "try.ipynb");
  const kernelspec = { name: "tessera", display_name: "TypeScript (Tessera)", language: "typescript" };
  const cell = { cell_type: "code", source: "6 * 7", metadata: {}, outputs: [], execution_count: null };
  writeFileSync(notebook, JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata: { kernelspec }, cells: [cell] }));
  mkdirSync(join(clone, "out"), { recursive: true });
  await follow(
    "jupyter",
    ["nbconvert", "--to", "notebook", "--execute", notebook, "--output", "out/tried"],
    clone,
    env,
  );
  if (!readFileSync(join(clone, "out/tried.ipynb"), "utf8").includes('"42"'))
    throw new Error("rehearse: the image's Jupyter must compute 6 * 7 with our kernel");
}

const [, , what, notebook] = process.argv;
if (what === "workflow") await rehearseWorkflow(notebook);
else if (what === "binder") await rehearseBinder();
else throw new Error(`rehearse: must be told workflow or binder, got ${what ?? "nothing"}`);

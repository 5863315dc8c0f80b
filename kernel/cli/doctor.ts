import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { findProtection } from "../course/index.ts";
import { prefixDataFolder, userDataFolder } from "../install.ts";
import { startSession } from "../session/index.ts";
import type { Command } from "./command.ts";

/** One thing that was looked at. */
interface Finding {
  readonly what: string;
  /** What is wrong, or null where nothing is. */
  readonly trouble: string | null;
  readonly remedy?: string;
}

export const doctor: Command = {
  usage: "tessera doctor",
  summary: "say what works, and what to do about what does not",
  async run() {
    const findings = [node(), await sockets(), await cell(), ...kernelspecs(), jupyter(), protection()];
    for (const { what, trouble, remedy } of findings) {
      console.log(`${trouble === null ? "ok   " : "FAIL "} ${what}${trouble === null ? "" : `: ${trouble}`}`);
      if (trouble !== null && remedy !== undefined) console.log(`      → ${remedy}`);
    }
    return findings.some(({ trouble }) => trouble !== null) ? 1 : 0;
  },
};

function node(): Finding {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return {
    what: `Node ${process.versions.node}`,
    trouble: good ? null : "20.19 or newer is needed",
    remedy: "install a current Node from https://nodejs.org",
  };
}

async function sockets(): Promise<Finding> {
  const what = "ZeroMQ sockets";
  try {
    const { version } = await import("zeromq");
    return { what: `${what} (${version})`, trouble: null };
  } catch (error) {
    const remedy = "npm rebuild zeromq, in the folder where tessera is installed";
    return { what, trouble: String(error), remedy };
  }
}

/** Runs one cell, types and library and all. */
async function cell(): Promise<Finding> {
  const what = "a cell, checked and run";
  const session = startSession({ workingDirectory: process.cwd() });
  const ended = new Promise<string>((resolve) => {
    let shown = "";
    session.onMessage((_channel, { header, content }) => {
      if (header.msg_type === "execute_result") shown = (content.data as Record<string, string>)["text/plain"];
      if (header.msg_type === "stream") shown += content.text;
      if (header.msg_type === "execute_reply") resolve(content.status === "ok" ? shown : `${content.evalue}`);
    });
  });
  session.handle("shell", {
    header: { msg_id: "doctor", msg_type: "execute_request", session: "", username: "", date: "", version: "5.5" },
    parent_header: {},
    metadata: {},
    content: { code: "const six: number = 6; six * 7" },
    buffers: [],
  });
  const answer = await ended;
  await session.shutdown();
  const remedy = "reinstall the package; if that does not help, report this line";
  return { what, trouble: answer === "42" ? null : `6 × 7 must give 42, got ${answer}`, remedy };
}

/** Every kernelspec of ours that Jupyter would find, and whether what it starts is there. */
function kernelspecs(): Finding[] {
  const { VIRTUAL_ENV, CONDA_PREFIX } = process.env;
  const prefixes = [VIRTUAL_ENV, CONDA_PREFIX, existsSync(".venv") ? join(process.cwd(), ".venv") : undefined];
  const folders = [userDataFolder(), ...prefixes.flatMap((prefix) => (prefix ? [prefixDataFolder(prefix)] : []))];
  const files = [...new Set(folders)].map((folder) => join(folder, "kernels/tessera/kernel.json")).filter(existsSync);
  const remedy = "tessera install";
  if (files.length === 0) return [{ what: "kernelspec", trouble: "Jupyter does not know the kernel yet", remedy }];
  return files.map((file) => {
    const { argv } = JSON.parse(readFileSync(file, "utf8")) as { argv: string[] };
    const missing = argv.slice(0, 2).find((path) => !existsSync(path));
    return {
      what: `kernelspec ${file}`,
      trouble: missing === undefined ? null : `it starts ${missing}, which is gone`,
      remedy,
    };
  });
}

function jupyter(): Finding {
  const local = join(process.cwd(), ".venv/bin/jupyter-lab");
  const program = existsSync(local) ? local : "jupyter-lab";
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  const found = status === 0;
  return {
    what: found ? `JupyterLab ${stdout.trim()}` : "JupyterLab",
    trouble: found ? null : "not found",
    remedy: "tessera lab installs it beside the project; tessera run needs none",
  };
}

/** What can hold strangers' code back when it is graded. */
function protection(): Finding {
  const { bubblewrap, trouble, controlGroups } = findProtection();
  const memory = controlGroups ? "held by control groups" : "watched, not held";
  // Who grades nothing needs none.
  const what = bubblewrap
    ? `bubblewrap (no network, read-only system, private home); memory and processes ${memory}`
    : `none: ${trouble}; tessera autograde needs it (apt-get install bubblewrap) or --no-sandbox`;
  return { what: `sandbox for grading: ${what}`, trouble: null };
}

import type { ExecutionReport, ProgramTree, TileMemory } from "../../simulator/index.ts";
import { Figure } from "../figure.ts";
import { placeholder } from "../look/placeholder.ts";
import { tesseraMime } from "../mime.ts";
import { executionPicture, executionSummary } from "./execution-picture.ts";
import { profileExecution } from "./execution-profile.ts";
import { treePicture, treeSummary, treeTitle } from "./program-tree-picture.ts";
import { profileTileMemory, tileMemoryPicture, tileMemorySummary } from "./tile-memory-picture.ts";

/** Shows how a device spent its cycles: phases over time, how busy the tiles were, and the longest supersteps. */
export function execution(report: ExecutionReport): Figure {
  const profile = profileExecution(report);
  const summary = executionSummary(profile);
  if (profile.cycles === 0) {
    const message = "Nothing to draw: no superstep has been executed; run the program first.";
    return new Figure({
      kind: "execution",
      picture: placeholder("Execution", message),
      summary: `execution: ${message}`,
    });
  }
  return new Figure({
    kind: "execution",
    picture: executionPicture(profile),
    summary,
    interactive: {
      mime: tesseraMime,
      data: profile,
      details: (request) => {
        const { start, end } = request as { readonly start: number; readonly end: number };
        return profileExecution(report, [start, end]);
      },
    },
  });
}

/** Shows how full each tile's memory is: over the steps of a program, and how the tiles differ. */
export function tileMemory(memory: TileMemory): Figure {
  const profile = profileTileMemory(memory);
  if (profile.tileCount === 0 || profile.steps === 0) {
    const message = "Nothing to draw: the program has no steps.";
    return new Figure({ kind: "tile-memory", picture: placeholder("Memory of tiles", message), summary: message });
  }
  return new Figure({
    kind: "tile-memory",
    picture: tileMemoryPicture(profile),
    summary: tileMemorySummary(profile),
    interactive: { mime: tesseraMime, data: profile },
  });
}

/** Shows a program as a tree: what it consists of, how often each part ran, and what it took. */
export function programTree(tree: ProgramTree): Figure {
  if (tree.root.parts.length === 0 && tree.root.kind === "sequence") {
    const message = "Nothing to draw: the program has no parts.";
    return new Figure({ kind: "program-tree", picture: placeholder(treeTitle(tree), message), summary: message });
  }
  return new Figure({
    kind: "program-tree",
    picture: treePicture(tree),
    summary: treeSummary(tree),
    interactive: { mime: tesseraMime, data: tree },
  });
}

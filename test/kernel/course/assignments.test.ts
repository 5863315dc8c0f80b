import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  autograde,
  CourseFolder,
  checkSource,
  findProtection,
  graderCell,
  releaseNotebook,
  type SubmissionResult,
  totals,
} from "../../../kernel/course/index.ts";
import { type Notebook, writeNotebook } from "../../../kernel/headless/index.ts";
import { prepareSnapshot } from "../../../kernel/session/index.ts";
import { projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const protection = findProtection();
const test = suite("the course's assignments", !protection.bubblewrap && `no sandbox: ${protection.trouble}`);

/** One mistake in each: a line of the solution, what stands there instead, and what that costs. */
const mistakes: readonly (readonly [assignment: string, line: string, instead: string, test: string, cost: number])[] =
  [
    ["layer", "return (f(up) - f(down)) / (2 * h)", "return (f(up) - f(at)) / h", "slope-test", 3],
    ["codelet", "new Engine(graph, execute(together)).run()", "void together", "broken-test", 2],
    ["checkpointing", "Math.ceil(Math.sqrt(layers))", "Math.floor(Math.sqrt(layers))", "root-test", 2],
  ];

/** All tests of each assignment together; two more points are given by hand. */
const byTests = 18;

const course = new CourseFolder(temporaryFolder());
cpSync(join(projectRoot, "notebooks/assignments/source"), join(course.root, "source"), { recursive: true });

/** A student's notebook with the source's solutions, or with what a change makes of them. */
function solved(source: Notebook, change: (text: string) => string = (text) => text): Notebook {
  const solutions = new Map(source.cells.map((cell) => [graderCell(cell)?.id, cell.source]));
  const cells = releaseNotebook(source).cells.map((cell) => {
    const grader = graderCell(cell);
    const solution = grader?.solution ? solutions.get(grader.id) : undefined;
    return solution === undefined
      ? cell
      : { ...cell, source: change(solution.replace(/^.*(BEGIN|END) SOLUTION.*\n?/gm, "")) };
  });
  return { ...source, cells };
}

for (const [assignment, line, instead, failing, cost] of mistakes) {
  test(`${assignment}: its own solution earns all, an untouched copy nothing, a wrong answer what is right of it`, async () => {
    const sources = await course.sources(assignment);
    assert.is(sources.size, 1);
    const [[file, source]] = sources;
    assert.equal(checkSource(source, file), []);
    assert.ok(source.cells.some((cell) => cell.source.includes(line)));
    const submissions = {
      good: solved(source),
      untouched: releaseNotebook(source),
      wrong: solved(source, (text) => text.replace(line, instead)),
    };
    for (const [student, notebook] of Object.entries(submissions)) {
      const folder = course.work("submitted", student, assignment);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, file), writeNotebook(notebook));
    }
    console.debug = () => {}; // @jupyterlab/services tells of every socket it opens.
    await prepareSnapshot();
    const results = await autograde(course, await course.submissions(assignment), sources, {
      jobs: 1,
      limits: {
        cellSeconds: 120,
        notebookSeconds: 600,
        memoryBytes: 2 * 2 ** 30,
        outputBytes: 2 ** 20,
        processes: 256,
        diskBytes: 2 ** 27,
        isSandboxed: true,
      },
      onProgress: () => {},
    });
    const [good, untouched, wrong] = results;
    assert.is(scoreOf(good), byTests, told(good));
    assert.is(scoreOf(untouched), 0, told(untouched));
    assert.is(scoreOf(wrong), byTests - cost, told(wrong));
    const lost = wrong.notebooks[0].grades.filter(({ score, points }) => score !== null && score < points);
    assert.equal(
      lost.map(({ id }) => id),
      [failing],
    );
  });
}

function scoreOf({ notebooks }: SubmissionResult): number {
  return totals(notebooks.flatMap(({ grades }) => grades)).score;
}

function told({ notebooks }: SubmissionResult): string {
  return JSON.stringify(notebooks, null, 1);
}

test.run();

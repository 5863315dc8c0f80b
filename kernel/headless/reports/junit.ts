import { stripVTControlCharacters } from "node:util";
import type { FileReport } from "../file-report.ts";
import { firstLine } from "../notebook.ts";
import { xmlText } from "./xml.ts";

/** One test of a JUnit report. */
export interface TestCase {
  readonly name: string;
  readonly seconds: number;
  /** Why it failed; absent where it did not. */
  readonly failure?: { readonly message: string; readonly text: string };
  readonly isSkipped?: boolean;
}

/** Tests that belong together, such as the cells of a notebook. */
export interface TestSuite {
  readonly name: string;
  readonly tests: readonly TestCase[];
}

/** A JUnit XML report, in the form that CI services read. */
export function junitXml(suites: readonly TestSuite[]): string {
  const attributes = (tests: readonly TestCase[]): string => {
    const failures = tests.filter(({ failure }) => failure !== undefined).length;
    const skipped = tests.filter(({ isSkipped }) => isSkipped).length;
    const seconds = tests.reduce((sum, test) => sum + test.seconds, 0);
    return `tests="${tests.length}" failures="${failures}" skipped="${skipped}" time="${seconds.toFixed(3)}"`;
  };
  const body = suites.map(({ name, tests }) => {
    const lines = tests.map((test) => testXml(name, test));
    return `  <testsuite name="${xmlText(name)}" ${attributes(tests)}>\n${lines.join("")}  </testsuite>\n`;
  });
  const all = suites.flatMap(({ tests }) => tests);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${attributes(all)}>\n${body.join("")}</testsuites>\n`;
}

function testXml(suite: string, { name, seconds, failure, isSkipped }: TestCase): string {
  const open = `    <testcase classname="${xmlText(suite)}" name="${xmlText(name)}" time="${seconds.toFixed(3)}"`;
  if (isSkipped) return `${open}><skipped/></testcase>\n`;
  if (failure === undefined) return `${open}/>\n`;
  const text = xmlText(stripVTControlCharacters(failure.text));
  return `${open}>\n      <failure message="${xmlText(failure.message)}">${text}</failure>\n    </testcase>\n`;
}

/** The runs of notebooks as tests: one for each cell, named by its number and first line. */
export function notebookSuites(reports: readonly FileReport[]): TestSuite[] {
  return reports.map(({ path, result, differences, cached }) => {
    if (result === undefined) return { name: path, tests: [{ name: "the notebook", seconds: 0, isSkipped: !cached }] };
    const { cells, notebook, failure } = result;
    const tests = cells.map(({ index, number, seconds, status }): TestCase => {
      const name = `cell ${number}: ${firstLine(notebook.cells[index])}`.trimEnd();
      const differing = differences.find((difference) => difference.number === number);
      if (status === "failed" || status === "interrupted") {
        const message = failure ? `${failure.ename}: ${failure.evalue}` : status;
        return { name, seconds, failure: { message, text: failure?.traceback.join("\n") ?? "" } };
      }
      if (differing === undefined) return { name, seconds };
      const message = "the outputs differ from the stored ones";
      return { name, seconds, failure: { message, text: differing.lines.join("\n") } };
    });
    const reached = new Set(cells.map(({ index }) => index));
    const skipped = notebook.cells.flatMap((cell, index): TestCase[] =>
      cell.cell_type === "code" && !reached.has(index)
        ? [{ name: `cell, not executed: ${firstLine(cell)}`.trimEnd(), seconds: 0, isSkipped: true }]
        : [],
    );
    return { name: path, tests: [...tests, ...skipped] };
  });
}

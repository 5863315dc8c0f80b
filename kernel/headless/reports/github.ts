import { stripVTControlCharacters } from "node:util";
import type { FileReport } from "../file-report.ts";

/** Workflow commands that make GitHub show each failure beside the notebook's file; see its "Workflow commands". */
export function githubAnnotations(reports: readonly FileReport[]): string {
  const lines = reports.flatMap(({ path, result, differences }) => {
    const failure = result?.failure;
    const failed = failure
      ? [
          annotation(
            path,
            `cell ${failure.place.number}: ${failure.ename}`,
            `${failure.evalue}\n${failure.traceback.join("\n")}`,
          ),
        ]
      : [];
    const differing = differences.map(({ number, lines }) =>
      annotation(path, `cell ${number}: outputs differ`, lines.join("\n")),
    );
    return [...failed, ...differing];
  });
  return lines.map((line) => `${line}\n`).join("");
}

function annotation(file: string, title: string, message: string): string {
  const data = (text: string): string =>
    stripVTControlCharacters(text).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
  return `::error file=${property(file)},title=${property(title)}::${data(message)}`;
}

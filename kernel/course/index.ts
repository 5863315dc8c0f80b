// What lives here: assignments from the teacher's notebook to points and feedback, in nbgrader's formats, and the sandbox
// that holds strangers' code.
// What does not: running a notebook for its own sake (../headless), arguments on a command line (../cli/course).
// Where to go next: autograde.ts for a batch, grade-notebook.ts for one notebook, two-kernels.ts for what keeps tests safe.
export { type AutogradeEvent, autograde } from "./autograde.ts";
export { checkSource, summarise } from "./check-source.ts";
export { CourseFolder } from "./course-folder.ts";
export { gradesCsv, gradescopeResults, prairieLearnResults, questionsCsv, submissionsJunit } from "./export.ts";
export { feedbackPage } from "./feedback.ts";
export { gradeCell } from "./grade.ts";
export { checksumOf, graderCell } from "./metadata.ts";
export { releaseNotebook } from "./release.ts";
export { restore } from "./restore.ts";
export { readResult, type SubmissionResult, totals } from "./results.ts";
export { findProtection } from "./sandbox.ts";

/** Answers what an interactive form asks for beyond what a notebook stores of its figure: plain data for plain data. */
export type Details = (request: unknown) => unknown;

/** So many figures answer at the same time; the one that was neither shown nor asked for longest is forgotten. */
const mostFigures = 24;

const offered = new Map<string, Details>();

/**
 * Keeps a figure's details for as long as this process lives and other figures do not take its place. Whoever shows
 * figures hands requests on to `answerDetails`.
 *
 * @param name the same for the same stored data, so that a notebook shown again finds its details
 */
export function offerDetails(name: string, details: Details): void {
  offered.delete(name);
  offered.set(name, details);
  for (const oldest of offered.keys()) {
    if (offered.size <= mostFigures) break;
    offered.delete(oldest);
  }
}

/** What the figure of this name answers; null where this process has not shown it, or has forgotten it. */
export async function answerDetails(name: string, request: unknown): Promise<unknown> {
  const details = offered.get(name);
  if (details === undefined) return null;
  offerDetails(name, details);
  return details(request);
}

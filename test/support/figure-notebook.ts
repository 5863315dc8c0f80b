import { writeFileSync } from "node:fs";
import type { Figure } from "../../lib/plot/index.ts";

/**
 * Writes a notebook that stores figures in their interactive forms, without pictures, one cell each. Its kernel does not
 * exist, so that nobody can answer for them.
 */
export async function writeFigureNotebook(path: string, figures: readonly Figure[]): Promise<void> {
  const cells = await Promise.all(
    figures.map(async (figure, index) => {
      const { "image/png": _, "image/jpeg": __, ...data } = await figure.bundle();
      const outputs = [{ output_type: "display_data", metadata: {}, data }];
      return {
        id: `c${index}`,
        cell_type: "code",
        metadata: {},
        source: "figure",
        execution_count: index + 1,
        outputs,
      };
    }),
  );
  const metadata = { kernelspec: { name: "none", display_name: "none", language: "typescript" } };
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata, cells }));
}

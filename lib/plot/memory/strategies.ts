import type { PeakExplanation } from "../../memory/index.ts";
import type {
  FrontierReport,
  MemoryAccount,
  MemoryArgument,
  ResidentWeightsReport,
  StrategiesReport,
} from "../../training/index.ts";
import { line } from "../charts/series.ts";
import type { Figure } from "../figure.ts";
import { byteUnit, formatBytes, formatPercent } from "../look/format.ts";
import { type Table, table } from "../table.ts";

/** Memory strategies as rows: what each takes, what it costs, and that the loss stays. */
export function strategiesTable({ title, fitBytes, rows }: StrategiesReport): Table {
  const brief = (milliseconds: number | null): number | undefined =>
    milliseconds === null ? undefined : Number(milliseconds.toPrecision(3));
  const hasHost = rows.some(({ hostBytes }) => hostBytes > 0);
  const hasDepth = rows.some(({ largestDepth }) => largestDepth !== null);
  return table(
    rows.map((row) => ({
      strategy: row.name,
      arena: formatBytes(row.arenaBytes),
      "without weights": formatBytes(row.workingBytes),
      "lower bound": formatBytes(row.lowerBoundBytes),
      "extra work": formatPercent(row.extraWork),
      ...(hasHost ? { "on the host": row.hostBytes === 0 ? "" : formatBytes(row.hostBytes) } : {}),
      "ms per step": brief(row.millisecondsPerStep),
      "planned ms": brief(row.plannedMillisecondsPerStep),
      "loss difference": row.lossDifference ?? undefined,
      [`largest batch in ${formatBytes(fitBytes)}`]: row.largestBatch,
      ...(hasDepth ? { "largest depth": row.largestDepth ?? undefined } : {}),
    })),
    title,
  );
}

/** More buffers than these are told as a sum. */
const mostBuffers = 12;

/** The live set at the peak as rows, the largest first. */
export function peakTable({ title, step, phase, peakBytes, buffers }: PeakExplanation): Table {
  const rest = buffers.slice(mostBuffers);
  const more = {
    buffer: `${rest.length} more`,
    category: "",
    type: "",
    size: formatBytes(rest.reduce((sum, { bytes }) => sum + bytes, 0)),
    "made by": "",
    "needed by": "",
    "what would free it": "",
  };
  return table(
    [
      ...buffers.slice(0, mostBuffers).map((buffer) => ({
        buffer: buffer.name,
        category: buffer.category,
        type: buffer.type,
        size: formatBytes(buffer.bytes),
        "made by": brief(buffer.madeBy ?? "from outside"),
        "needed by": brief(buffer.neededBy ?? "always"),
        "what would free it": buffer.remedy,
      })),
      ...(rest.length === 0 ? [] : [more]),
    ],
    `${title}: ${formatBytes(peakBytes)} at the peak, ${step}, ${phase}`,
  );
}

/** A step of many operators by the first and the last of them: `scale … subtract (dense8)`. */
function brief(step: string): string {
  const [operators, ...layer] = step.split(" (");
  const names = operators.split(" + ");
  return [names.length < 3 ? operators : `${names[0]} … ${names.at(-1)}`, ...layer].join(" (");
}

/** Extra work over memory, and the bound below it. */
export function frontierFigure({ title, points }: FrontierReport): Figure {
  const { divisor, unit } = byteUnit(Math.max(0, ...points.map(({ arenaBytes }) => arenaBytes)));
  const arena = ({ arenaBytes }: (typeof points)[number]): number => arenaBytes / divisor;
  return line(
    {
      planned: points.map((point): [number, number] => [arena(point), 100 * point.extraWork]),
      "lower bound": points.map((point): [number, number] => [arena(point), 100 * point.leastExtraWork]),
    },
    { title, x: `arena, ${unit}`, y: "extra work, % of a step" },
  );
}

/** Tensor sets as rows: what is counted, and what it comes to. */
export function accountTable({ title, sets }: MemoryAccount): Table {
  return table(
    sets.map(({ name, contains, elements, bytes }) => ({ set: name, elements, size: formatBytes(bytes), contains })),
    title,
  );
}

/** The argument as rows. */
export function argumentTable({ title, rows }: MemoryArgument): Table {
  return table(
    rows.map(({ step, bytes, how }) => ({ step, MB: Number((bytes / 1e6).toFixed(1)), how })),
    title,
  );
}

/** Small batches with resident weights as rows. */
export function residentWeightsTable({ title, rows }: ResidentWeightsReport): Table {
  return table(
    rows.map((row) => ({
      batch: row.batch,
      weights: row.weights,
      "activations of a layer": formatBytes(row.activationBytesPerLayer),
      "layers that fit": row.layersThatFit,
      "at most, TFLOP/s": Number((row.mostFlopsPerSecond / 1e12).toFixed(2)),
    })),
    title,
  );
}

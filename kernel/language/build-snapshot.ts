// Builds the snapshot for the options in its argument, and ends. A process of its own: see `startBuilding`.
import type { LanguageOptions } from "./messages.ts";
import { buildSnapshot } from "./snapshot.ts";

const options = JSON.parse(process.argv[2] ?? "null") as LanguageOptions;
await buildSnapshot(options);

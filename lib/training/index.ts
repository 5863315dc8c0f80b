export type { EpochRecord, TrainingHistory } from "./history.ts";

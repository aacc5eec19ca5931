import type { ProcessIdentity } from "./process-table.ts";

/** How far one service of the stack has come; what the terminal and the portal show. */
export type Progress = {
  service: ServiceName;
  state: "starting" | "ready" | "failed";
  /** Since this service began to start. */
  seconds: number;
  note?: string;
};

/** "model" is the download of the base model. */
export type ServiceName = "model" | "postgres" | "temporal" | "vectors" | "embeddings" | "engine" | "worker" | "web";

/** What every start function takes. */
export type LaunchOptions = {
  /** The variables of the started program, before those that the start function adds. */
  env: Readonly<Record<string, string | undefined>>;
  logFile: string;
  /** Told of every process of this service, also after a restart: see StateLock.recordChild. */
  onSpawn?: (identity: ProcessIdentity) => void;
  /** Gives up a start that is under way. */
  signal?: AbortSignal;
};

/** What every start function returns. */
export type Service = {
  name: ServiceName;
  url: string;
  /** The running process now; it changes when the service is restarted after a crash. */
  readonly pid: number;
  stop(): Promise<void>;
};

/** How far one service of the stack has come; what the terminal and the portal show. */
export type Progress = {
  service: ServiceName;
  state: "starting" | "ready" | "failed";
  /** Since this service began to start. */
  seconds: number;
  note?: string;
};

export type ServiceName = "postgres" | "temporal" | "vectors" | "embeddings" | "engine" | "worker" | "web";

/** What every start function returns. */
export type Service = {
  name: ServiceName;
  url: string;
  /** The running process now; it changes when the service is restarted after a crash. */
  readonly pid: number;
  stop(): Promise<void>;
};

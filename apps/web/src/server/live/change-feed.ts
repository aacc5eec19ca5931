import pg from "pg";
import { z } from "zod";
import { log } from "#server/log.ts";

const channel = "anneal_changes";
const firstRetryMs = 500;
const maxRetryMs = 10_000;

const payloadSchema = z.object({ table: z.string(), workspaceId: z.string().nullable() });

/** @param tables "*" after a gap: anything may have changed meanwhile. */
type Listener = (table: string) => void;

export type ChangeFeed = {
  /** @returns how to stop listening. */
  subscribe(workspaceId: string, listener: Listener): () => void;
};

/**
 * One LISTEN connection for the whole process, opened with the first subscriber and kept. It reconnects for as long as
 * somebody listens, and tells them after each gap.
 */
export function createChangeFeed(databaseUrl: string): ChangeFeed {
  const listeners = new Map<Listener, string>();
  let client: pg.Client | undefined;
  let retryMs = firstRetryMs;

  function publish(table: string, workspaceId: string | null) {
    for (const [listener, wanted] of listeners) if (workspaceId === null || workspaceId === wanted) listener(table);
  }

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: databaseUrl, keepAlive: true, application_name: "anneal-web-live" });
    client = next;
    next.on("notification", ({ payload }) => {
      const parsed = payloadSchema.safeParse(JSON.parse(payload ?? "null"));
      if (parsed.success) publish(parsed.data.table, parsed.data.workspaceId);
    });
    next.on("error", (error) => log.warn({ err: error.message }, "live connection to the database lost"));
    next.on("end", () => reconnectLater(next));
    try {
      await next.connect();
      await next.query(`LISTEN ${channel}`);
      retryMs = firstRetryMs;
      publish("*", null);
    } catch (error) {
      log.warn(
        { err: error instanceof Error ? error.message : String(error) },
        "live connection to the database failed",
      );
      await next.end().catch(() => undefined);
      reconnectLater(next);
    }
  }

  function reconnectLater(lost: pg.Client) {
    if (client !== lost) return;
    client = undefined;
    const waitMs = retryMs;
    retryMs = Math.min(maxRetryMs, retryMs * 2);
    setTimeout(() => {
      if (!client && listeners.size > 0) void connect();
    }, waitMs).unref();
  }

  return {
    subscribe(workspaceId, listener) {
      listeners.set(listener, workspaceId);
      if (!client) void connect();
      return () => listeners.delete(listener);
    },
  };
}

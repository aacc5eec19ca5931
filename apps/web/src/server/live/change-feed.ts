import pg from "pg";
import { z } from "zod";
import { ChangeMemory, clockSkewMs } from "#lib/change-memory.ts";
import { log } from "#server/log.ts";

const channel = "anneal_changes";
const firstRetryMs = 500;
const maxRetryMs = 10_000;

const payloadSchema = z.object({ table: z.string(), workspaceId: z.string().nullable() });

/** @param tables "*" after a gap: anything may have changed meanwhile. */
type Listener = (table: string) => void;

export type ChangeFeed = {
  /**
   * @param since a time of this or another server's clock, in milliseconds: what changed from then on is told at once
   * @returns how to stop listening
   */
  subscribe(workspaceId: string, since: number, listener: Listener): () => void;
};

/**
 * One LISTEN connection for the whole process, opened with the first subscriber and kept. It reconnects for as long as
 * somebody listens, and tells them after each gap. It remembers when tables changed, for pages whose line opens later than
 * they were read.
 */
export function createChangeFeed(databaseUrl: string): ChangeFeed {
  const listeners = new Map<Listener, string>();
  /** By workspace; null: tables that all share. */
  const memories = new Map<string | null, ChangeMemory>();
  let client: pg.Client | undefined;
  /** From when on every change was heard of; null while some may be missed. */
  let heardSince: number | null = null;
  let retryMs = firstRetryMs;

  function publish(table: string, workspaceId: string | null) {
    for (const [listener, wanted] of listeners) if (workspaceId === null || workspaceId === wanted) listener(table);
  }

  function remember(table: string, workspaceId: string | null) {
    const memory = memories.get(workspaceId) ?? new ChangeMemory();
    memories.set(workspaceId, memory);
    memory.note([table], Date.now());
  }

  function recall(workspaceId: string, since: number): string[] {
    // Until the connection stands, what it says then is told.
    if (heardSince === null) return [];
    if (since - clockSkewMs < heardSince) return ["*"];
    return [null, workspaceId].flatMap((key) => memories.get(key)?.since(since) ?? []);
  }

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: databaseUrl, keepAlive: true, application_name: "anneal-web-live" });
    client = next;
    next.on("notification", ({ payload }) => {
      const parsed = payloadSchema.safeParse(JSON.parse(payload ?? "null"));
      if (!parsed.success) return;
      const { table, workspaceId } = parsed.data;
      remember(table, workspaceId);
      publish(table, workspaceId);
    });
    next.on("error", (error) => log.warn({ err: error.message }, "live connection to the database lost"));
    next.on("end", () => reconnectLater(next));
    try {
      await next.connect();
      await next.query(`LISTEN ${channel}`);
      retryMs = firstRetryMs;
      memories.clear();
      heardSince = Date.now();
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
    heardSince = null;
    const waitMs = retryMs;
    retryMs = Math.min(maxRetryMs, retryMs * 2);
    setTimeout(() => {
      if (!client && listeners.size > 0) void connect();
    }, waitMs).unref();
  }

  return {
    subscribe(workspaceId, since, listener) {
      listeners.set(listener, workspaceId);
      for (const table of recall(workspaceId, since)) listener(table);
      if (!client) void connect();
      return () => listeners.delete(listener);
    },
  };
}

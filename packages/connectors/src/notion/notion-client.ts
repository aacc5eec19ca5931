import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { createRemoteClient, RemoteError } from "../remote/remote-client.ts";
import { clockOf } from "../remote/service-clock.ts";
import { blockSchema, pageSchema, type Block, type Page } from "./notion-objects.ts";
import type { NotionConfig, NotionSecrets } from "./config.ts";

export type NotionClient = {
  /** When its first list was answered, by Notion's own clock. */
  startedAtMs(): number;
  me(): Promise<{ workspace: string }>;
  /** Pages and database rows that are shared with the integration, as far as Notion's index knows them. */
  searchPages(direction: "ascending" | "descending"): AsyncIterable<Page[]>;
  searchDataSources(): AsyncIterable<string[]>;
  queryRows(dataSourceId: string): AsyncIterable<Page[]>;
  /** @returns null for a page that is gone or no longer shared */
  page(id: string): Promise<Page | null>;
  children(blockId: string): AsyncIterable<Block[]>;
  close(): Promise<void>;
};

/** With data sources below databases; later versions rename what is not used here. */
const apiVersion = "2025-09-03";
const pageSize = 100;

const listSchema = z.looseObject({
  results: z.array(z.unknown()),
  has_more: z.boolean(),
  next_cursor: z.string().nullish(),
});
const meSchema = z.looseObject({
  name: z.string().nullish(),
  bot: z.looseObject({ workspace_name: z.string().nullish() }).nullish(),
});
const dataSourceSchema = z.looseObject({ object: z.literal("data_source"), id: z.string().min(1) });
/** The query of a wiki also answers with the data sources in it. */
const rowSchema = z.discriminatedUnion("object", [pageSchema, dataSourceSchema]);

export function createNotionClient(
  config: NotionConfig,
  secrets: NotionSecrets,
  context: Pick<ConnectContext, "signal" | "limits">,
): NotionClient {
  const client = createRemoteClient({
    service: "Notion",
    baseUrl: config.apiUrl.endsWith("/") ? config.apiUrl : `${config.apiUrl}/`,
    allowPrivateHosts: config.allowPrivateHosts,
    context,
    authorize: async () => ({ authorization: `Bearer ${secrets.token}`, "notion-version": apiVersion }),
    // Notion allows three requests a second.
    concurrency: 3,
    explain: explainAnswer,
  });

  let startedAtMs: number | null = null;
  async function* post<T>(path: string, body: Record<string, unknown>, item: z.ZodType<T>): AsyncIterable<T[]> {
    let start: string | undefined;
    do {
      const { data: page, headers } = await client.exchange(path, listSchema, {
        method: "POST",
        body: { ...body, page_size: pageSize, ...(start === undefined ? {} : { start_cursor: start }) },
      });
      startedAtMs ??= clockOf(headers);
      yield page.results.map((result) => parseItem(path, item, result));
      start = page.has_more ? (page.next_cursor ?? undefined) : undefined;
    } while (start !== undefined);
  }

  return {
    startedAtMs: () => startedAtMs ?? Date.now(),
    async me() {
      const me = await client.json("users/me", meSchema);
      return { workspace: me.bot?.workspace_name || me.name || "Notion" };
    },
    searchPages: (direction) =>
      post(
        "search",
        { filter: { property: "object", value: "page" }, sort: { timestamp: "last_edited_time", direction } },
        pageSchema,
      ),
    async *searchDataSources() {
      const filter = { property: "object", value: "data_source" };
      for await (const page of post("search", { filter }, dataSourceSchema)) yield page.map(({ id }) => id);
    },
    async *queryRows(dataSourceId) {
      const path = `data_sources/${encodeURIComponent(dataSourceId)}/query`;
      for await (const rows of post(path, {}, rowSchema)) yield rows.filter((row) => row.object === "page");
    },
    async page(id) {
      try {
        return await client.json(`pages/${encodeURIComponent(id)}`, pageSchema);
      } catch (error) {
        if (error instanceof RemoteError && error.status === 404) return null;
        throw error;
      }
    },
    async *children(blockId) {
      const path = `blocks/${encodeURIComponent(blockId)}/children`;
      let start: string | undefined;
      do {
        const page = await client.json(path, listSchema, { query: { page_size: pageSize, start_cursor: start } });
        yield page.results.map((result) => parseItem(path, blockSchema, result));
        start = page.has_more ? (page.next_cursor ?? undefined) : undefined;
      } while (start !== undefined);
    },
    close: () => client.close(),
  };
}

function parseItem<T>(path: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const what = `${path}: ${issue?.path.join(".")}: ${issue?.message}`;
  throw new AnnealError("SOURCE_UNREACHABLE", `Notion sent an answer that cannot be understood (${what}).`, {
    action: "Check that the API address is Notion's own, and sync again later.",
    details: { what },
  });
}

/** True for a refusal that is about one page or block, so that the others can still be read. */
export function isAboutOnePage(error: unknown): boolean {
  if (error instanceof RemoteError) return ![401, 429, 503, 504].includes(error.status);
  return isAnnealError(error) && error.code === "DOCUMENT_TOO_LARGE";
}

const errorSchema = z.looseObject({ code: z.string(), message: z.string().default("") });

/** The codes of the page "Status codes" of Notion's reference. */
function explainAnswer(status: number, body: string): AnnealError | null {
  const code = parseError(body)?.code ?? null;
  const details = { notionCode: code };
  if (status === 401) {
    return new AnnealError("SOURCE_CREDENTIALS", "Notion does not accept the integration token.", {
      action: "Copy the Internal Integration Secret again from notion.so/my-integrations.",
      details,
    });
  }
  if (status === 403) {
    return new AnnealError("SOURCE_FORBIDDEN", "The Notion integration lacks a capability.", {
      action: "Give it the capability Read content under Capabilities at notion.so/my-integrations.",
      details,
    });
  }
  if (status === 404) {
    return new AnnealError("SOURCE_NOT_FOUND", "Notion does not show the page to the integration.", {
      action: "Add the integration to it in Notion: the page's menu, Connections.",
      details,
    });
  }
  if (status === 400 && /start_cursor/.test(parseError(body)?.message ?? "")) {
    return new AnnealError("SOURCE_UNREACHABLE", "Notion no longer accepts its own position in a list.", {
      action: "Sync again: the list is read from its beginning.",
      details,
      retryable: true,
    });
  }
  return null;
}

function parseError(body: string): z.infer<typeof errorSchema> | null {
  try {
    return errorSchema.parse(JSON.parse(body));
  } catch {
    return null;
  }
}

import { Client, iterateAllDataSourceRows, iteratePaginatedAPI } from "@notionhq/client";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { createGatewayFetch, orOwnError } from "../remote/gateway-fetch.ts";
import { parseAnswer } from "../remote/remote-answer.ts";
import { createRemoteClient, RemoteError } from "../remote/remote-client.ts";
import { clockOf } from "../remote/service-clock.ts";
import { explainAnswer } from "./explain-answer.ts";
import { blockSchema, pageSchema, type Block, type Page } from "./notion-objects.ts";
import type { NotionConfig, NotionSecrets } from "./config.ts";

export type NotionClient = {
  /** When it was first answered, by Notion's own clock. */
  startedAtMs(): number;
  me(): Promise<{ workspace: string }>;
  /** Pages and database rows that are shared with the integration, as far as Notion's index knows them. */
  searchPages(direction: "ascending" | "descending"): AsyncIterable<Page>;
  searchDataSources(): AsyncIterable<string>;
  queryRows(dataSourceId: string): AsyncIterable<Page>;
  /** @returns null for a page that is gone or no longer shared */
  page(id: string): Promise<Page | null>;
  children(blockId: string): AsyncIterable<Block>;
  close(): Promise<void>;
};

/** With data sources below databases; later versions rename what is not used here. */
const apiVersion = "2025-09-03";
/** The library puts this and "/v1/" before each path; the configured address takes the place of both. */
const baseUrl = "https://api.notion.com";
/** Timeouts are the gateway's. */
const maxTimerMs = 2 ** 31 - 1;
const limit = { page_size: 100 };

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
    authorize: async () => ({ authorization: `Bearer ${secrets.token}` }),
    // Notion allows three requests a second.
    concurrency: 3,
    explain: explainAnswer,
  });
  const gatewayFetch = createGatewayFetch(client, ["notion-version"]);
  let startedAtMs: number | null = null;
  const notion = new Client({
    async fetch(address, request) {
      const response = await gatewayFetch(address.slice(`${baseUrl}/v1/`.length), request);
      startedAtMs ??= clockOf(response.headers);
      return response;
    },
    baseUrl,
    notionVersion: apiVersion,
    retry: false,
    timeoutMs: maxTimerMs,
    logger: () => {},
  });
  const orOurs = orOwnError("Notion", context.signal);

  /** The library's types are claims: nothing that it reads is taken before it is looked at. */
  async function* each<T>(what: string, items: AsyncIterable<unknown>, schema: z.ZodType<T>): AsyncIterable<T> {
    try {
      for await (const item of items) yield parseAnswer("Notion", schema, item, what);
    } catch (error) {
      orOurs(error);
    }
  }

  return {
    startedAtMs: () => startedAtMs ?? Date.now(),
    async me() {
      const me = parseAnswer("Notion", meSchema, await notion.users.me({}).catch(orOurs), "users.me");
      return { workspace: me.bot?.workspace_name || me.name || "Notion" };
    },
    searchPages(direction) {
      const filter = { property: "object", value: "page" } as const;
      const sort = { timestamp: "last_edited_time", direction } as const;
      return each("search", iteratePaginatedAPI(notion.search, { filter, sort, ...limit }), pageSchema);
    },
    async *searchDataSources() {
      const filter = { property: "object", value: "data_source" } as const;
      const found = iteratePaginatedAPI(notion.search, { filter, ...limit });
      for await (const { id } of each("search", found, dataSourceSchema)) yield id;
    },
    async *queryRows(dataSourceId) {
      const data_source_id = encodeURIComponent(dataSourceId);
      const rows = orCrowded(iterateAllDataSourceRows(notion, { data_source_id, ...limit }));
      for await (const row of each("dataSources.query", rows, rowSchema)) if (row.object === "page") yield row;
    },
    async page(id) {
      try {
        const page = await notion.pages.retrieve({ page_id: encodeURIComponent(id) }).catch(orOurs);
        return parseAnswer("Notion", pageSchema, page, "pages.retrieve");
      } catch (error) {
        if (error instanceof RemoteError && error.status === 404) return null;
        throw error;
      }
    },
    children(blockId) {
      const found = iteratePaginatedAPI(notion.blocks.children.list, {
        block_id: encodeURIComponent(blockId),
        ...limit,
      });
      return each("blocks.children.list", found, blockSchema);
    },
    close: () => client.close(),
  };
}

/**
 * One query lists 10,000 rows. The library asks for those that were created later by another one, and gives up where so many
 * were created in one minute.
 */
async function* orCrowded<T>(rows: AsyncIterable<T>): AsyncIterable<T> {
  try {
    yield* rows;
  } catch (error) {
    if (!(error instanceof Error && error.message.includes("cannot make progress"))) throw error;
    throw new AnnealError("DOCUMENT_TOO_LARGE", "A database has more rows of one minute than Notion lists.", {
      action: "Split it in Notion; what its search shows of it is read.",
    });
  }
}

/** True for a refusal that is about one page or block, so that the others can still be read. */
export function isAboutOnePage(error: unknown): boolean {
  if (error instanceof RemoteError) return error.isAlone || ![401, 429, 502, 503, 504].includes(error.status);
  return isAnnealError(error) && error.code === "DOCUMENT_TOO_LARGE";
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { StaleStatus } from "../describe-remote.ts";
import { refuseSigned, RemoteTrouble, type Refusal } from "../remote-trouble.ts";
import { SettledLists } from "../settled-lists.ts";

export type FakeBlock = { type: string; body: Record<string, unknown>; children?: FakeBlock[]; id?: string };

export type FakePage = {
  id: string;
  title: string;
  blocks: FakeBlock[];
  /** The row's values as Notion's property objects; a page that is no row has a title only. */
  properties: Record<string, Record<string, unknown>>;
  dataSourceId: string | null;
  createdAt: Date;
  editedAt: Date;
  inTrash: boolean;
  /** Whether the integration was added under Connections. */
  shared: boolean;
  /** False for one that the search's index does not know yet. */
  indexed: boolean;
};

/**
 * The part of Notion's API that an integration reads with, after its published reference (version 2025-09-03): search,
 * query a data source, retrieve a page, retrieve block children, retrieve your token's bot user; "Status codes",
 * "Request limits", "Pagination", "Query large data sources" and "Upgrading to 2025-09-03".
 */
export class FakeNotion {
  readonly token = "ntn_fake1";
  readonly pages = new Map<string, FakePage>();
  readonly dataSources = new Map<string, { id: string; shared: boolean }>();
  readonly lists = new SettledLists();
  /** Lists hold at most this many items, whatever the caller asks for. */
  pageSize = 2;
  /** A query of a data source ends after so many rows, and says so ("Query large data sources"). */
  queryLimit = 10_000;
  /** The integration's capability Read content. */
  mayRead = true;
  tokenRevoked = false;
  /** How far its clock is ahead of ours. */
  aheadMs = 0;
  /** Pages whose blocks Notion fails to give. */
  readonly brokenPages = new Set<string>();
  readonly brokenDataSources = new Set<string>();
  /** Method and path of every request. */
  readonly calls: string[] = [];
  /** Before everything that is asked. */
  readonly trouble = new RemoteTrouble({
    busy: (waitSeconds) =>
      refusalOf(fail(429, "rate_limited", "You have been rate limited.", { "retry-after": String(waitSeconds) })),
    credentials: refuseSigned(refusalOf(fail(401, "unauthorized", "API token is invalid."))),
  });
  #refused = 0;
  #staleCursors = 0;
  #staleStatus: StaleStatus = 400;
  #ids = 0;
  readonly #blocks = new Map<string, { page: FakePage; children: FakeBlock[] }>();

  readonly #server = createServer(this.trouble.before((request, response) => void this.#answer(request, response)));

  static async start(): Promise<FakeNotion> {
    const fake = new FakeNotion();
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/`;
  }

  /** By its own clock. */
  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  addPage(title: string, blocks: FakeBlock[], page: Partial<Omit<FakePage, "id" | "title" | "blocks">> = {}): FakePage {
    const added: FakePage = {
      id: this.#nextId(),
      title,
      blocks,
      properties: {},
      dataSourceId: null,
      createdAt: this.now(),
      editedAt: this.now(),
      inTrash: false,
      shared: true,
      indexed: true,
      ...page,
    };
    this.pages.set(added.id, added);
    this.#number(added);
    return added;
  }

  addDataSource(): string {
    const id = this.#nextId();
    this.dataSources.set(id, { id, shared: true });
    return id;
  }

  edit(
    page: FakePage,
    change: Partial<Pick<FakePage, "title" | "blocks" | "properties">>,
    at: Date = this.now(),
  ): void {
    Object.assign(page, change, { editedAt: at });
    this.#number(page);
  }

  /** The next request gets 401, as at a moment when tokens are exchanged. */
  refuseOnce(): void {
    this.#refused += 1;
  }

  /** The next position that is shown is refused. */
  expireCursor(status: StaleStatus = 400): void {
    this.#staleCursors += 1;
    this.#staleStatus = status;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #nextId(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, "0")}`;
  }

  #number(page: FakePage): void {
    const number = (id: string, children: FakeBlock[]) => {
      this.#blocks.set(id, { page, children });
      for (const child of children) {
        child.id ??= this.#nextId();
        number(child.id, child.children ?? []);
      }
    };
    number(page.id, page.blocks);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const url = new URL(request.url ?? "/", "http://notion.invalid");
    const path = url.pathname.replace(/^\/v1\//, "");
    this.calls.push(`${request.method} ${path}`);
    const asked = text === "" ? Object.fromEntries(url.searchParams) : (JSON.parse(text) as Record<string, unknown>);
    const [status, answer, headers] = this.#resultOf(`${request.method} ${path}`, asked, request);
    const body = JSON.stringify(answer);
    response.writeHead(status, {
      "content-type": "application/json",
      date: this.now().toUTCString(),
      "content-length": Buffer.byteLength(body),
      ...headers,
    });
    response.end(body);
  }

  #resultOf(call: string, asked: Record<string, unknown>, request: IncomingMessage): Result {
    if (this.#refused > 0 || this.tokenRevoked || request.headers.authorization !== `Bearer ${this.token}`) {
      this.#refused = Math.max(0, this.#refused - 1);
      return fail(401, "unauthorized", "API token is invalid.");
    }
    if (request.headers["notion-version"] !== "2025-09-03") {
      return fail(400, "missing_version", "Notion-Version header should be defined.");
    }
    if (call === "GET users/me") {
      return [200, { object: "user", type: "bot", name: "Anneal", bot: { workspace_name: "Acme" } }];
    }
    if (!this.mayRead) return fail(403, "restricted_resource", "Insufficient permissions for this endpoint.");
    if (asked.start_cursor !== undefined && this.#staleCursors > 0) {
      this.#staleCursors -= 1;
      return fail(
        this.#staleStatus,
        "validation_error",
        `The start_cursor provided is invalid: ${String(asked.start_cursor)}`,
      );
    }
    if (call === "POST search") return this.#search(asked);
    const [, kind, id = ""] = /^(?:GET|POST) (pages|blocks|data_sources)\/([^/]+)/.exec(call) ?? [];
    if (kind === "pages") {
      const page = this.pages.get(id);
      return page?.shared
        ? [200, showPage(page)]
        : fail(404, "object_not_found", `Could not find page with ID: ${id}.`);
    }
    if (kind === "data_sources") {
      if (!this.dataSources.get(id)?.shared) return fail(404, "object_not_found", "Could not find data source.");
      if (this.brokenDataSources.has(id)) return fail(500, "internal_server_error", "Unexpected error occurred.");
      const rows = [...this.pages.values()].filter((page) => page.dataSourceId === id && page.shared && !page.inTrash);
      return this.#query(rows, asked);
    }
    const found = this.#blocks.get(id);
    if (kind !== "blocks" || !found?.page.shared) return fail(404, "object_not_found", "Could not find block.");
    if (this.brokenPages.has(found.page.id)) return fail(500, "internal_server_error", "Unexpected error occurred.");
    return this.#list(found.children, asked, showBlock);
  }

  #query(rows: FakePage[], asked: Record<string, unknown>): Result {
    const { sorts, filter } = asked as Query;
    if (sorts?.[0]?.timestamp === "created_time") rows.sort((a, b) => minuteOf(a.createdAt) - minuteOf(b.createdAt));
    const from = filter?.created_time?.on_or_after;
    const found = from === undefined ? rows : rows.filter((row) => minuteOf(row.createdAt) >= Date.parse(from));
    const [status, body] = this.#list(found.slice(0, this.queryLimit), asked, showPage);
    const incomplete = { type: "incomplete", incomplete_reason: "query_result_limit_reached" };
    return [status, found.length > this.queryLimit ? { ...body, request_status: incomplete } : body];
  }

  #search(asked: Record<string, unknown>): Result {
    const { filter, sort } = asked as { filter?: { value?: string }; sort?: { direction?: string } };
    if (filter?.value === "data_source") {
      const shared = [...this.dataSources.values()].filter((source) => source.shared);
      return this.#list(shared, asked, ({ id }) => ({ object: "data_source", id, properties: {} }));
    }
    const ascending = sort?.direction === "ascending";
    const pages = this.lists.of(`edited ${ascending}`, () => {
      const found = [...this.pages.values()].filter((page) => page.shared && page.indexed && !page.inTrash);
      found.sort((a, b) => minuteOf(a.editedAt) - minuteOf(b.editedAt) || (a.id < b.id ? -1 : 1));
      return ascending ? found : found.reverse();
    });
    return this.#list(pages, asked, showPage);
  }

  /** A cursor is the id of the next item. */
  #list<T extends { id?: string }>(items: T[], asked: Record<string, unknown>, show: (item: T) => object): Result {
    const start = asked.start_cursor === undefined ? 0 : items.findIndex(({ id }) => id === asked.start_cursor);
    if (start < 0) return fail(400, "validation_error", "The start_cursor provided is invalid.");
    const end = start + Math.min(this.pageSize, Number(asked.page_size ?? 100));
    const next = items[end]?.id ?? null;
    return [
      200,
      { object: "list", results: items.slice(start, end).map(show), has_more: next !== null, next_cursor: next },
    ];
  }
}

/** As much of a query as is answered: rows by when they were created, and from a time on. */
type Query = { sorts?: { timestamp?: string }[]; filter?: { created_time?: { on_or_after?: string } } };

type Result = [status: number, body: Record<string, unknown>, headers?: Record<string, string>];

function fail(status: number, code: string, message: string, headers: Record<string, string> = {}): Result {
  return [status, { object: "error", status, code, message }, headers];
}

function refusalOf([status, body, headers = {}]: Result): Refusal {
  return { status, body, headers };
}

/** Rich text of at most 2,000 characters a part, as Notion splits it. */
export function richText(text: string, part: Record<string, unknown> = {}): Record<string, unknown>[] {
  const parts = text.match(/[\s\S]{1,2000}/gu) ?? [];
  return parts.map((content) => ({ type: "text", text: { content }, plain_text: content, href: null, ...part }));
}

export function paragraph(text: string): FakeBlock {
  return { type: "paragraph", body: { rich_text: richText(text) } };
}

/** Notion tells the minute only. */
function minuteOf(at: Date): number {
  return Math.floor(at.getTime() / 60_000) * 60_000;
}

function showPage(page: FakePage) {
  return {
    object: "page",
    id: page.id,
    url: `https://www.notion.so/${page.id.replaceAll("-", "")}`,
    created_time: new Date(minuteOf(page.createdAt)).toISOString(),
    last_edited_time: new Date(minuteOf(page.editedAt)).toISOString(),
    archived: page.inTrash,
    in_trash: page.inTrash,
    parent:
      page.dataSourceId === null
        ? { type: "workspace", workspace: true }
        : { type: "data_source_id", data_source_id: page.dataSourceId },
    properties: { title: { id: "title", type: "title", title: richText(page.title) }, ...page.properties },
  };
}

function showBlock({ id = "", type, body, children = [] }: FakeBlock) {
  return { object: "block", id, type, has_children: children.length > 0, in_trash: false, [type]: body };
}

import type { Change, Cursor } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { defaultLimits, type ReadRequest } from "../connector.ts";
import { contentOf } from "../content.ts";
import { reportOf } from "../failure.ts";
import { countOrNull } from "../first-sync.ts";
import { keptReaders } from "../hiding.ts";
import { deleteMissing } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import type { NotionConfig, NotionSecrets } from "./config.ts";
import { createNotionClient, isAboutOnePage, type NotionClient } from "./notion-client.ts";
import { isGone, type Page } from "./notion-objects.ts";
import { readPage } from "./page-content.ts";

type Request = ReadRequest<NotionConfig, NotionSecrets>;

const cursorSchema = z.object({
  version: z.literal(1),
  /** The newest edit that a whole sync has seen, by Notion's clock; null where all is to be listed. */
  editedTo: z.string().nullable(),
  /** Pages edited before this, by Notion's clock, were read long enough after that edit for its minute to be over. */
  settledTo: z.string(),
  /** Syncs since the last complete listing. */
  syncs: z.number(),
  /** The size up to which pages were read, above which they are left until they change. */
  documentBytes: z.number().default(defaultLimits.documentBytes),
  /** Pages that failed. */
  retry: z.array(z.string()),
  /** How many pages a first sync has counted, until it came to its end. */
  total: z.number().nullable().default(null),
});
type NotionCursor = z.infer<typeof cursorSchema>;

const checkpointEvery = 50;
const maxRetries = 500;
/**
 * Notion tells the minute of an edit, so that two edits look like one: what was read so soon after its edit is read
 * again by the next sync. Both moments are Notion's own.
 */
const settlingMs = 15 * 60_000;
const hourMs = 60 * 60_000;
const never = new Date(0).toISOString();

export async function* readNotion(request: Request): AsyncIterable<Change> {
  const { config, secrets, context } = request;
  const client = createNotionClient(config, secrets, context);
  try {
    yield* new NotionRun(request, client).read();
  } finally {
    await client.close();
  }
}

class NotionRun {
  readonly #request: Request;
  readonly #client: NotionClient;
  readonly #before: NotionCursor;
  readonly #seen = new SeenRefs();
  readonly #trashed = new Set<string>();
  readonly #failed = new Set<string>();
  #editedTo: string | null;
  #scanned = 0;
  #total: number | null;
  #listsAll = false;

  constructor(request: Request, client: NotionClient) {
    this.#request = request;
    this.#client = client;
    this.#before = parseCursor(request.cursor, request.context.limits.documentBytes);
    this.#editedTo = this.#before.editedTo;
    this.#total = this.#before.total;
  }

  /** To be asked once Notion has answered. */
  get #settledTo(): string {
    return new Date(this.#client.startedAtMs() - settlingMs).toISOString();
  }

  async *read(): AsyncIterable<Change> {
    const { config, known, context } = this.#request;
    const { editedTo, settledTo, syncs } = this.#before;
    // Deletions that a person confirmed may be of any page.
    const complete = editedTo === null || syncs + 1 >= config.completeEvery || context.deletions.confirmed;
    this.#listsAll = complete;
    if (this.#request.cursor === null) this.#total = await countOrNull(context, () => this.#countPages());
    if (complete) yield* this.#readAll();
    // Back to what was not settled, however long the last sync took.
    else yield* this.#readEdited(Math.min(Date.parse(editedTo) - config.lookBackHours * hourMs, Date.parse(settledTo)));
    if (this.#scanned === 0 && this.#trashed.size === 0) throw nothingShared();

    const gone = complete ? yield* this.#findGone() : this.#trashed;
    const settled = yield* deleteMissing(known, context.deletions, keptReaders, (ref) => gone.has(ref));
    const cursor: NotionCursor = {
      version: 1,
      // Deletions that wait for a person are found again by listing everything again.
      editedTo: !settled || this.#failed.size > maxRetries ? null : this.#editedTo,
      settledTo: this.#settledTo,
      syncs: complete ? 0 : syncs + 1,
      documentBytes: this.#before.documentBytes,
      retry: [...this.#failed].slice(0, maxRetries),
      total: null,
    };
    yield { type: "checkpoint", cursor, scanned: this.#scanned, total: this.#scanned };
  }

  /** A hundred pages a request, where to read one takes a request or more. */
  async #countPages(): Promise<number> {
    let count = 0;
    for await (const page of this.#client.searchPages("ascending")) if (!isGone(page)) count += 1;
    return count;
  }

  /** Oldest edit first: a page that is edited meanwhile moves to the end of the list, and is met there. */
  async *#readAll(): AsyncIterable<Change> {
    for await (const page of this.#client.searchPages("ascending")) yield* this.#readPage(page);
    // The index of the search lacks rows at times; their database has them all.
    for await (const id of this.#client.searchDataSources()) {
      try {
        for await (const row of this.#client.queryRows(id)) yield* this.#readPage(row);
      } catch (error) {
        // Nothing is deleted by it: each page that was not met is asked for.
        if (!isAboutOnePage(error)) throw error;
        const ref = `${id}/`;
        this.#seen.add(ref);
        yield { type: "failure", ref, error: reportOf(error) };
      }
    }
  }

  async *#readEdited(fromMs: number): AsyncIterable<Change> {
    for await (const page of this.#client.searchPages("descending")) {
      if (Date.parse(page.last_edited_time) < fromMs) {
        // It is there although it was not edited lately: the integration is not cut off.
        this.#scanned += 1;
        break;
      }
      yield* this.#readPage(page);
    }
    for (const id of this.#before.retry) {
      if (this.#seen.has(id) || this.#trashed.has(id)) continue;
      const page = await this.#lookUp(id);
      if (page !== "unknown" && page !== null) yield* this.#readPage(page);
    }
  }

  async *#readPage(page: Page): AsyncIterable<Change> {
    if (isGone(page)) {
      this.#trashed.add(page.id);
      return;
    }
    if (!this.#seen.add(page.id)) return;
    this.#scanned += 1;
    if (this.#editedTo === null || page.last_edited_time > this.#editedTo) this.#editedTo = page.last_edited_time;
    const change = await this.#changeOf(page);
    if (change?.type === "failure" && change.error.code !== "DOCUMENT_TOO_LARGE") this.#failed.add(page.id);
    if (change !== null) yield change;
    if (this.#scanned % checkpointEvery === 0) yield this.#checkpoint();
  }

  async #changeOf(page: Page): Promise<Change | null> {
    const { known, context } = this.#request;
    const before = await known.fingerprintOf(page.id);
    const time = page.last_edited_time;
    if (before?.startsWith(`${time}|`) === true && time < this.#before.settledTo) return null;
    try {
      const { title, bytes, digest } = await readPage(this.#client, page, context.limits.documentBytes);
      const fingerprint = `${time}|${digest}`;
      if (before === fingerprint) return null;
      const item = {
        ref: page.id,
        uri: page.url,
        title,
        mediaType: "text/markdown",
        sizeBytes: bytes.byteLength,
        modifiedAt: time,
        fingerprint,
        acl: null,
      };
      return { type: "upsert", item, content: contentOf(bytes) };
    } catch (error) {
      if (!isAboutOnePage(error)) throw error;
      return { type: "failure", ref: page.id, error: reportOf(error) };
    }
  }

  /**
   * The known pages that no list has shown and that Notion, asked for each, does not have either: its search does not
   * promise to be complete. One that is there is read as any other.
   */
  async *#findGone(): AsyncGenerator<Change, Set<string>> {
    const gone = new Set<string>();
    for await (const ref of this.#request.known.refs()) {
      if (this.#seen.has(ref)) continue;
      // What failed of a whole database is no page, and did not fail this time.
      const page = ref.endsWith("/") || this.#trashed.has(ref) ? null : await this.#lookUp(ref);
      if (page === null || (page !== "unknown" && isGone(page))) gone.add(ref);
      else if (page !== "unknown") yield* this.#readPage(page);
    }
    return gone;
  }

  /** @returns null for a page that is gone or not shared any more */
  async #lookUp(id: string): Promise<Page | null | "unknown"> {
    try {
      return await this.#client.page(id);
    } catch (error) {
      if (!isAboutOnePage(error)) throw error;
      return "unknown";
    }
  }

  #checkpoint(): Change {
    const { editedTo, settledTo, retry } = this.#before;
    const cursor: NotionCursor = {
      ...this.#before,
      // All that a first sync has stored it has read itself.
      settledTo: editedTo === null && settledTo === never ? this.#settledTo : settledTo,
      retry: [...new Set([...retry, ...this.#failed])].slice(0, maxRetries),
      total: this.#total,
    };
    return { type: "checkpoint", cursor, scanned: this.#scanned, total: this.#total, listsAll: this.#listsAll };
  }
}

/** A cursor of another release or limit begins anew, which loses nothing: what is known is known by its fingerprint. */
function parseCursor(cursor: Cursor | null, documentBytes: number): NotionCursor {
  const parsed = cursorSchema.safeParse(cursor);
  if (parsed.success && parsed.data.documentBytes === documentBytes) return parsed.data;
  return { version: 1, editedTo: null, settledTo: never, syncs: 0, documentBytes, retry: [], total: null };
}

export function nothingShared(): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", "No page is shared with the Notion integration.", {
    action:
      "Add the integration to the pages and databases that are to be read: in Notion, the page's menu, Connections.",
  });
}

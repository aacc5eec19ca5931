import type { CapabilityCheck } from "@anneal/core/connect/capability-check";
import type { Change, Cursor, JournalEntry, KnownItems } from "@anneal/core/connect/change";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { DeletionPolicy } from "@anneal/core/connect/deletion-policy";
import type { ErrorReport } from "@anneal/core/errors";
import type { z } from "zod";
import type { Clock } from "./clock.ts";
import { withChanges } from "./describe-facts.ts";
import type { PythonRuntime } from "./python-runtime.ts";
import type { ReaderRules } from "./reader-rules.ts";
import type { RemoteObserver } from "./remote/remote-observer.ts";
import type { PageReader } from "./web/page-reader.ts";

/** How a connector learns what changed; shown to people (`describeFacts`), because it decides how fresh and how costly a sync is. */
export type ChangeModel =
  /** The source tells what is different from how it was at a stored position, deletions included (a delta link). */
  | "delta"
  /** As "delta", which leaves something out: now and then everything is listed besides. */
  | "delta-and-listing"
  /** The source keeps a list of its changes, deletions included, which is read on from a stored position (a page token). */
  | "change-cursor"
  /** Lists everything and compares a fingerprint that costs no content (ETag, size + mtime). */
  | "fingerprint"
  /** Reads only what is above a value that grows with every change; what is gone is found by listing keys or everything. */
  | "watermark"
  /** Asks for each known item whether it changed (conditional requests). */
  | "conditional";

/** `message` is a sentence of what follows from it. */
export type SettingLack = { field: string; message: string };

export type Capabilities = { permissions: boolean; deletions: boolean; moves: boolean };

/** What people are told of a kind before they choose it. Beside its settings, where the portal finds it without the reader. */
export type SourceFacts = {
  changeModel: ChangeModel;
  capabilities: Capabilities;
  /** What a listing tells a changed document by, for people: "another time or size". */
  differsBy?: string;
  /**
   * Which documents bring their own readers with these settings of the kind, and what of the settings says who that is; left
   * out: as `capabilities` say, whatever the settings are. Where readers are brought, nobody may know of what could not be
   * read whose right to it was not seen; and with another rule, what was read before is nobody's until it is read again.
   */
  readerRules?(config: object): ReaderRules;
  /**
   * Whether documents have their readers on somebody's word with these settings of the kind, as the source does not tell what
   * would take some away. Once it is taken back, all that was read on it is nobody's until it is read again. Left out: none
   * has.
   */
  readersByWord?(config: object): boolean;
  /**
   * What of the settings says who people are and what groups they are in, where documents may refuse somebody: with another
   * word of it, what does is nobody's until it is read again. Left out: nothing does, or `readerRules` say it.
   */
  peopleRule?(config: object): unknown;
  /**
   * A setting without which others are of no use: the source could be read, and nobody would see a document. Left out: there is
   * none. The schema takes it all the same, as sources are stored that lack it.
   */
  findLack?(config: object): SettingLack | null;
  /**
   * Why a first sync does not tell before its end about how many documents there are, or only with some settings, for people.
   * Left out: it does, in its checkpoints.
   */
  uncounted?: string;
};

/** What the process around a connector gives it; the same for every kind. */
export type ConnectContext = {
  signal: AbortSignal;
  /** An existing folder for downloads, emptied by whoever made it. */
  tempDir: string;
  limits: ConnectLimits;
  deletions: DeletionPolicy;
  /** The browser for pages that need JavaScript; null where there is none. */
  chromiumPath: string | null;
  /**
   * The platform's own on this machine, with its database, keys and sign-ins: no source that reads folders here reads these.
   */
  ownFolders: readonly string[];
  /** Runs what speaks a protocol that no library of ours does; null where there is none. */
  python: PythonRuntime | null;
  /** Told of remote calls; left out where nobody counts. */
  onRemoteEvent?: RemoteObserver | undefined;
  /** For the waits that a service asks for; left out: the machine's. */
  clock?: Clock | undefined;
  /** Reads the pages of websites for whoever started it, who ends it; left out: each crawl has a process of its own. */
  pageReader?: PageReader | undefined;
  /** For credentials that change by being used; left out where nothing is stored, and what is renewed lasts a run. */
  renewSecrets?: RenewSecrets | undefined;
};

/**
 * Lets a connector exchange a credential for its successor (a refresh token). `renew` gets the secrets as they are stored
 * now, which may be newer than those that the run began with, while nobody else exchanges them; what it returns is all of
 * them from now on. It is sealed and durable before this resolves, and until then the old ones stay. Where a person has
 * entered others meanwhile, theirs stay.
 */
export type RenewSecrets = (
  renew: (stored: Record<string, string>) => Promise<Record<string, string>>,
) => Promise<void>;

export type ConnectLimits = {
  /** A larger document is a DOCUMENT_TOO_LARGE failure and is not read. */
  documentBytes: number;
  requestTimeoutMs: number;
  /** Of the process that reads the pages of a website; left out: `defaultPageBounds`. */
  pages?: PageBounds;
};

/** Wall-clock time for one page, and resident memory, of which three quarters may be JavaScript heap. */
export type PageBounds = { timeoutMs: number; maxMemoryBytes: number };

export const defaultPageBounds: PageBounds = { timeoutMs: 120_000, maxMemoryBytes: 512 * 1024 * 1024 };

export const defaultLimits: ConnectLimits = {
  documentBytes: 100 * 1024 * 1024,
  requestTimeoutMs: 30_000,
};

export type { CapabilityCheck };

/**
 * `error` is the first thing that makes the source unusable. Otherwise `summary` is one sentence of what answers and
 * of what would be read: a count, as far as a few seconds get, and names.
 */
export type CheckResult =
  | { checks: CapabilityCheck[]; summary: string; error: null }
  | { checks: CapabilityCheck[]; summary: null; error: ErrorReport };

export type ReadRequest<Config, Secrets> = {
  config: Config;
  secrets: Secrets;
  /** The last stored checkpoint, or null for a first run. */
  cursor: Cursor | null;
  /** What checkpoints have added to the journal since it last began anew, up to that cursor; left out: nothing. */
  journal?: AsyncIterable<JournalEntry> | undefined;
  known: KnownItems;
  context: ConnectContext;
};

/**
 * One kind of source. `configSchema` may be shown and stored in clear; `secretSchema` is sealed apart from it. Both
 * carry `title` and `description` in their metadata, from which the portal builds its form.
 */
export type Connector<Config, Secrets> = SourceFacts & {
  kind: string;
  title: string;
  configSchema: z.ZodType<Config>;
  secretSchema: z.ZodType<Secrets>;
  /**
   * "vendor": accounts and groups come from the vendor's own directory, and mean the same in every source of a tenant.
   * Left out, they are this source's alone: its settings say whose address an account has, and whoever sets them must not
   * decide over what another source brought.
   */
  directory?: "vendor";
  /**
   * Its HTML documents are pages of websites: what a page is about is looked for among menus, teasers and comments, and
   * only that is read. Left out, HTML is a document that somebody wrote, and all of it is read that is not marked as a menu
   * or a footer.
   */
  bringsWebPages?: true;
  /** How many contents may be opened and read at once, while the stream goes on; left out: one after the other. */
  parallelReads?: number;
  /** Never throws for an expected failure: what is wrong with the source is its result. */
  check(config: Config, secrets: Secrets, context: ConnectContext): Promise<CheckResult>;
  /** Throws an AnnealError when the source as a whole cannot be read; see `Change` for what the stream promises. */
  read(request: ReadRequest<Config, Secrets>): AsyncIterable<Change>;
  /**
   * The people and groups that the documents' permissions name, all of them. Left out by a source whose permissions
   * name none; throws as `read` does, and what was known before stays.
   */
  readDirectory?(request: DirectoryRequest<Config, Secrets>): AsyncIterable<DirectoryEntry>;
};

export type DirectoryRequest<Config, Secrets> = Pick<ReadRequest<Config, Secrets>, "config" | "secrets" | "context">;

/** Keeps `Config` and `Secrets` inferred from the schemas at the place of definition. */
export function defineConnector<Config, Secrets>(connector: Connector<Config, Secrets>): Connector<Config, Secrets> {
  const { check } = connector;
  return { ...connector, check: async (...given) => withChanges(connector, await check(...given)) };
}

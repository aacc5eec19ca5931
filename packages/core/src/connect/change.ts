import type { SourceAcl } from "../access/acl-origins.ts";
import type { ErrorReport } from "../errors.ts";
import type { LeftOut } from "./left-out.ts";

/**
 * The change stream every connector speaks. A consumer applies changes in order and stores a checkpoint only after
 * everything before it is durable; a kill at any point repeats work but neither loses nor doubles any.
 *
 * - What is unchanged is not in the stream: an `upsert` is new or differs from `KnownItems.fingerprintOf`.
 * - `failure` is about one ref (a folder's ends in "/"), whose last good state stays, but for the readers of what is closed
 *   to the connector: an `acl` takes it from everybody. A source that cannot be read at all ends the iteration with an
 *   AnnealError instead, before any deletion.
 * - `delete` comes only after a complete enumeration, last in the stream.
 * - The run is complete when the iteration ends without an error; its last change is a checkpoint.
 */
export type SourceItem = {
  /** The source's own stable id for the document: a relative path, an object key, a primary key, a URL. */
  ref: string;
  /** What a citation shows and opens. */
  uri: string;
  title: string | null;
  mediaType: string | null;
  sizeBytes: number | null;
  modifiedAt: string | null;
  /** Changes whenever the content may have changed: an ETag, size + mtime, a hash. At most 2,000 characters. */
  fingerprint: string;
  /** null when the source has no permissions of its own: the source's default ACL applies then. */
  acl: SourceAcl | null;
};

export type Change =
  | { type: "upsert"; item: SourceItem; content: ContentHandle }
  | { type: "delete"; ref: string }
  /**
   * Only the audience changed, or where it comes from; `fingerprint` is the item's new one, stored so that this is not reported
   * again. Where the content is another one as well, its `upsert`, or the `failure` in its place, comes right after: whoever is
   * let in is let in to that.
   */
  | { type: "acl"; ref: string; acl: SourceAcl; fingerprint: string }
  /** Same content, other place: nothing needs reading. `fromRef` ceases to exist, unless it is the item's own ref. */
  | { type: "moved"; fromRef: string; item: SourceItem }
  | { type: "failure"; ref: string; error: ErrorReport }
  /**
   * `total` is how many documents will have been scanned at the end, as far as the source tells, or about so many, by the share
   * of it that is behind; null where neither says. On the last checkpoint it is `scanned`. `listsAll` says whether this run goes
   * through all there is, from its start, so that what is held tells about how much that is; kinds that always do may leave it
   * out ("fingerprint" and "conditional"). `leftOut` counts what this run has listed of which it makes no document, such as
   * links, pipes and what the settings exclude; it is told to people, and nothing else.
   */
  | {
      type: "checkpoint";
      cursor: Cursor;
      scanned: number;
      total: number | null;
      listsAll?: boolean;
      journal?: JournalWrite;
      leftOut?: LeftOut;
    };

/**
 * Opened only when the fingerprint is new, so that an unchanged document is never downloaded. May be opened once, at
 * any time until the run ends; a failure to open or to read is an AnnealError about this document alone.
 */
export type ContentHandle = { open(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> };

/** Small, JSON, versioned by its connector; opaque to everyone else. */
export type Cursor = { version: number; [key: string]: unknown };

/**
 * What a checkpoint adds to the source's journal: for a position that grows with the sync, of which each checkpoint stores
 * what is new and the next run reads all, in order. It is stored with the cursor or not at all, and lives as long.
 */
export type JournalWrite = {
  /** Whether what was there is thrown away first. A run that was given no cursor says so before it adds anything. */
  anew: boolean;
  entries: JournalEntry[];
};

/** JSON of at most 64 KiB; opaque to everyone but its connector. */
export type JournalEntry = { [key: string]: unknown };

/** What the consumer already holds, for connectors that find changes by comparing. */
export type KnownItems = {
  /** "" for one of which nothing is held, as it could not be read. */
  fingerprintOf(ref: string): Promise<string | null>;
  /**
   * `digestOrigins` (SHA-256) of the ACL that is held, for connectors whose fingerprints do not change with it; null where
   * nothing is explained, "" where an earlier release did not store it.
   */
  originsOf(ref: string): Promise<string | null>;
  /** Live refs that hold exactly this fingerprint, for connectors that recognise a moved document by it. */
  refsWithFingerprint(fingerprint: string): Promise<string[]>;
  /**
   * Every live ref, in code-point order, for the deletions of a complete listing. "unread": those of them of which nothing is
   * held, since they were never more than a failure; a folder is one, and no document.
   */
  refs(which?: "unread"): AsyncIterable<string>;
};

import { hash } from "node:crypto";
import type { Acl } from "@anneal/core/access/acl";
import type { Change, ContentHandle, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { aclChange, hasContent, withAcl } from "../acl-change.ts";
import { contentOf } from "../content.ts";
import { tooLarge } from "../failure.ts";
import { mediaTypeOf } from "../media-type.ts";
import type { ItemConfig } from "./config.ts";
import { parsePath, select, type Path } from "./path.ts";
import type { ItemListing } from "./pages.ts";
import { aclOf, type Readers } from "./readers.ts";
import { fillAddress, fillTemplate, parseTemplate, type Template } from "./template.ts";
import { listToldGroups } from "./told-groups.ts";
import { parseServiceTime, type ServiceTime } from "./watermark.ts";

/** The configured fields, parsed once. */
export type Mapping = {
  url: string;
  id: Path;
  title: Template | null;
  updatedAt: Path | null;
  uri: Template | null;
  content: Template | null;
  contentType: string | null;
  readers: Readers | null;
  second: SecondRequest | null;
};

/** A request of its own for each item's content. `settings` change when it would answer something else. */
export type SecondRequest = {
  settings: readonly unknown[];
  /** null: told by the item's name. */
  mediaType: string | null;
  open(item: unknown, ref: string): Promise<AsyncIterable<Uint8Array>>;
};

export function createMapping(config: ItemConfig, readers: Readers | null, second: SecondRequest | null): Mapping {
  return {
    url: config.url,
    id: parsePath(config.id),
    title: config.title === null ? null : parseTemplate(config.title),
    updatedAt: config.updatedAt === null ? null : parsePath(config.updatedAt),
    uri: config.uri === null ? null : parseTemplate(config.uri),
    // A paragraph on each line of the form.
    content: config.content.length === 0 ? null : parseTemplate(config.content.join("\n\n")),
    contentType: config.contentType,
    readers,
    second,
  };
}

/** The same, knowing the groups that an item may deny; they are only asked for where it can. */
export async function withToldGroups(mapping: Mapping, config: ItemConfig, listing: ItemListing): Promise<Mapping> {
  const { readers } = mapping;
  if (readers === null || readers.deny === null) return mapping;
  return { ...mapping, readers: { ...readers, toldGroups: await listToldGroups(config, listing) } };
}

/** @returns null for an item that cannot be told from others */
export function refOf(mapping: Mapping, item: unknown): string | null {
  const id = select(item, mapping.id);
  if (typeof id !== "string" && typeof id !== "number") return null;
  const ref = String(id);
  return ref === "" || ref.length > 4096 || ref.includes("\0") ? null : ref;
}

export function timeOf(mapping: Mapping, item: unknown): ServiceTime | null {
  return mapping.updatedAt === null ? null : parseServiceTime(select(item, mapping.updatedAt));
}

/** @returns what is new about an item: at most a change of its readers, which holds whatever comes of the content */
export async function changesOf(
  mapping: Mapping,
  ref: string,
  value: unknown,
  known: KnownItems,
  maxBytes: number,
  onFailure: () => void,
): Promise<Change[]> {
  const acl = mapping.readers === null ? null : aclOf(mapping.readers, value);
  const before = await known.fingerprintOf(ref);
  const change = aclChange(ref, before, acl);
  const changes = change === null ? [] : [change];
  const failure = (error: AnnealError): Change => ({ type: "failure", ref, error: error.toReport() });
  let mapped: Mapped;
  try {
    mapped = mapItem(mapping, ref, value, acl);
  } catch (error) {
    if (!(error instanceof AnnealError)) throw error;
    return [...changes, failure(error)];
  }
  const { item, contentPart, bytes } = mapped;
  if (hasContent(before, contentPart, acl)) return changes;
  if (bytes !== null && bytes.byteLength > maxBytes) {
    return [...changes, failure(tooLarge(ref, bytes.byteLength, maxBytes))];
  }
  const content = bytes === null ? secondContent(mapping, ref, value, onFailure) : contentOf(bytes);
  return [...changes, { type: "upsert", item, content }];
}

type Mapped = { item: SourceItem; contentPart: string; bytes: Uint8Array | null };

function mapItem(mapping: Mapping, ref: string, value: unknown, acl: Acl | null): Mapped {
  const title = mapping.title === null ? null : fillTemplate(mapping.title, value).replace(/\s+/g, " ").trim() || null;
  const uri = uriOf(mapping, ref, value);
  const bytes = mapping.second === null ? Buffer.from(contentText(mapping, value)) : null;
  const time = timeOf(mapping, value);
  const mediaType = mapping.contentType ?? mediaTypeOfItem(mapping, ref, title);
  // Where the content is here, it alone decides: a service that counts sharing as a change would have it all read again.
  const version = bytes ?? JSON.stringify([mapping.second?.settings, select(value, mapping.updatedAt ?? [])]);
  const contentPart = digest(JSON.stringify([title, uri, mediaType]), version);
  return {
    item: {
      ref,
      uri,
      title,
      mediaType,
      sizeBytes: bytes === null ? null : bytes.byteLength,
      modifiedAt: time === null ? null : new Date(time.timeMs).toISOString(),
      fingerprint: withAcl(contentPart, acl),
      acl,
    },
    contentPart,
    bytes,
  };
}

function contentText(mapping: Mapping, value: unknown): string {
  if (mapping.content !== null) return `${fillTemplate(mapping.content, value).trim()}\n`;
  return `${JSON.stringify(withoutReaders(mapping, value), null, 2)}\n`;
}

/** Who may read a document is not its content, and changes without it. */
function withoutReaders({ readers }: Mapping, value: unknown): unknown {
  if (readers === null || typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const apart = [readers.allow, readers.deny].map((path) => (path?.[0]?.type === "name" ? path[0].name : null));
  return Object.fromEntries(Object.entries(value).filter(([name]) => !apart.includes(name)));
}

function mediaTypeOfItem(mapping: Mapping, ref: string, title: string | null): string | null {
  if (mapping.second === null) return mapping.content === null ? "application/json" : "text/markdown";
  return mapping.second.mediaType ?? mediaTypeOf(ref) ?? (title === null ? null : mediaTypeOf(title));
}

/** What a citation opens is clicked by people: nothing but the web, whatever an item says. */
function uriOf({ url, uri }: Mapping, ref: string, value: unknown): string {
  const filled = uri === null ? "" : fillAddress(uri, value);
  const target = filled === "" ? null : URL.parse(filled, url);
  if (target !== null && (target.protocol === "http:" || target.protocol === "https:")) return target.href;
  return `${url}#${encodeURIComponent(ref.toWellFormed())}`;
}

function secondContent({ second }: Mapping, ref: string, value: unknown, onFailure: () => void): ContentHandle {
  const noticed = (error: unknown) => {
    onFailure();
    return error;
  };
  return {
    async open() {
      const body = await second?.open(value, ref).catch((error: unknown) => {
        throw noticed(error);
      });
      return (async function* () {
        try {
          yield* body ?? [];
        } catch (error) {
          throw noticed(error);
        }
      })();
    },
  };
}

function digest(...parts: (string | Uint8Array)[]): string {
  // Each part's own digest, so that no two lists of parts run together.
  const digests = parts.map((part) => hash("sha256", part, "base64url"));
  return hash("sha256", digests.join(), "base64url").slice(0, 32);
}

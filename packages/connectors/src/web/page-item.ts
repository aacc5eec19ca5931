import type { SourceItem } from "@anneal/core/connect/change";
import type { HttpAnswer } from "../http-answer.ts";
import { encodeMemory, type PageDigest, type PageMemory } from "./page-memory.ts";

export function memoryOf(digest: PageDigest, response: HttpAnswer, links: string[]): PageMemory {
  return {
    ...digest,
    etag: response.headers.get("etag"),
    lastModified: response.headers.get("last-modified"),
    links,
  };
}

/** The day on which the site thinks that it answered. */
export function dateOf(response: HttpAnswer): Date {
  const date = Date.parse(response.headers.get("date") ?? "");
  return Number.isNaN(date) ? new Date() : new Date(date);
}

export function itemOf(
  url: string,
  title: string,
  mediaType: string,
  sizeBytes: number,
  response: HttpAnswer,
  memory: PageMemory,
): SourceItem {
  const modified = Date.parse(response.headers.get("last-modified") ?? "");
  return {
    ref: url,
    uri: url,
    // Out of an address a title may come with characters that no text column holds.
    title: title.replace(/\p{Cc}/gu, " "),
    mediaType,
    sizeBytes,
    modifiedAt: Number.isNaN(modified) ? null : new Date(modified).toISOString(),
    fingerprint: encodeMemory(memory),
    acl: null,
  };
}

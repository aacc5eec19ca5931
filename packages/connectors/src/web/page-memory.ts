import { hash } from "node:crypto";
import { z } from "zod";

/**
 * What the fingerprint of a page carries from one crawl to the next: a digest of what a reader sees, the validators
 * of conditional requests, and short digests of the links into the site, so that a page that answers "not modified"
 * still leads to the pages behind it.
 */
export type PageMemory = { digest: string; etag: string | null; lastModified: string | null; links: string[] | null };

const storedSchema = z.tuple([z.string(), z.string().nullable(), z.string().nullable(), z.string().nullable()]);

/** Beyond this the fingerprint would outgrow a database row; such a page is always fetched whole. */
const maxLinks = 180;
const maxValidatorChars = 120;
const linkDigestChars = 8;

export function encodeMemory(memory: PageMemory): string {
  const links = memory.links !== null && memory.links.length <= maxLinks ? memory.links.map(digestLink).join("") : null;
  const fits = (validator: string | null) =>
    validator !== null && validator.length <= maxValidatorChars ? validator : null;
  return JSON.stringify([
    memory.digest,
    links === null ? null : fits(memory.etag),
    links === null ? null : fits(memory.lastModified),
    links,
  ]);
}

/** @returns links as digests, to be looked up among the known pages */
export function decodeMemory(fingerprint: string | null): PageMemory | null {
  if (fingerprint === null) return null;
  try {
    const [digest, etag, lastModified, links] = storedSchema.parse(JSON.parse(fingerprint));
    return { digest, etag, lastModified, links: links === null ? null : (links.match(/.{8}/g) ?? []) };
  } catch {
    return null;
  }
}

export function digestLink(url: string): string {
  return hash("sha256", url, "base64url").slice(0, linkDigestChars);
}

export function digestText(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 32);
}

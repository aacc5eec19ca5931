import { hash } from "node:crypto";
import { z } from "zod";
import { digestWords } from "./digest-words.ts";
import { maskToday } from "./mask-today.ts";

/**
 * What the fingerprint of a page carries from one crawl to the next: digests of what it says, the validators of
 * conditional requests, and short digests of the links into the site, so that a page that answers "not modified"
 * still leads to the pages behind it.
 */
export type PageMemory = PageDigest & {
  etag: string | null;
  lastModified: string | null;
  links: string[] | null;
};

export type PageDigest = {
  /** Of the main content. */
  digest: string;
  /** The same without today's date. Two versions are one when either agrees: a page that shows the day, and one that does not. */
  dateless: string;
  /** Of its words in no order; what many pages of one template share is a trap. */
  words: string;
  /** Characters of main content. */
  chars: number;
};

const storedSchema = z.tuple([
  z.literal(2),
  z.string(),
  z.string(),
  z.string(),
  z.number(),
  z.string().nullable(),
  z.string().nullable(),
  z.string().nullable(),
]);

/** Beyond this the fingerprint would outgrow a database row; such a page is always fetched whole. */
const maxLinks = 170;
const maxValidatorChars = 120;
const linkDigestChars = 8;

export function encodeMemory(memory: PageMemory): string {
  const links = memory.links !== null && memory.links.length <= maxLinks ? memory.links.map(digestLink).join("") : null;
  const fits = (validator: string | null) =>
    validator !== null && validator.length <= maxValidatorChars ? validator : null;
  return JSON.stringify([
    2,
    memory.digest,
    memory.dateless,
    memory.words,
    memory.chars,
    links === null ? null : fits(memory.etag),
    links === null ? null : fits(memory.lastModified),
    links,
  ]);
}

/** @returns links as digests, to be looked up among the known pages */
export function decodeMemory(fingerprint: string | null): PageMemory | null {
  if (fingerprint === null) return null;
  try {
    const [, digest, dateless, words, chars, etag, lastModified, links] = storedSchema.parse(JSON.parse(fingerprint));
    return {
      digest,
      dateless,
      words,
      chars,
      etag,
      lastModified,
      links: links === null ? null : (links.match(/.{8}/g) ?? []),
    };
  } catch {
    return null;
  }
}

export function digestPage(title: string | null, mainText: string, now: Date, language: string | null): PageDigest {
  const text = `${title ?? ""}\n${mainText}`;
  return {
    digest: digestText(text),
    dateless: digestText(maskToday(text, now, language)),
    words: digestWords(mainText),
    chars: mainText.length,
  };
}

/** For documents whose bytes are what they say. */
export function digestOfBytes(digest: string, sizeBytes: number): PageDigest {
  return { digest, dateless: digest, words: digest.slice(0, 12), chars: sizeBytes };
}

export function isSameContent(a: PageDigest, b: PageDigest): boolean {
  return a.digest === b.digest || a.dateless === b.dateless;
}

export function digestLink(url: string): string {
  return hash("sha256", url, "base64url").slice(0, linkDigestChars);
}

function digestText(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 22);
}

import { type PageBounds, defaultPageBounds } from "../src/connector.ts";

/** Each of these characters is an error of its own to a parser of XML: reading on takes most of a minute. */
export const endlessFeed = Buffer.from(`<rss>${"\u0001".repeat(9_000_000)}`);

/** Fewer elements than a page may have, each with an attribute and a text. */
export const hungryPage = Buffer.from('<p id="x">x'.repeat(450_000));

/** Beyond what an ordinary page takes, and below what that one does. */
export const hungryBounds: PageBounds = { ...defaultPageBounds, maxMemoryBytes: 160 * 1024 * 1024 };

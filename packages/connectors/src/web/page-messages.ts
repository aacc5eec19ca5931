import { errorCodes } from "@anneal/core/errors";
import { z } from "zod";
import { maxFeeds, maxLinks } from "./page-limits.ts";

/** What is asked of the process that reads pages. So many bytes of UTF-8 follow on its standard input. */
export type PageRequest = { read: "page" | "feed" | "sitemap"; sizeBytes: number };

const pageFactsSchema = z.object({
  title: z.string().nullable(),
  links: z.array(z.string()).max(maxLinks),
  hasMoreLinks: z.boolean(),
  feeds: z.array(z.string()).max(maxFeeds),
  base: z.string().nullable(),
  canonical: z.string().nullable(),
  noindex: z.boolean(),
  nofollow: z.boolean(),
  text: z.string(),
  mainText: z.string(),
  language: z.string().nullable(),
  scripts: z.number(),
  passwordFields: z.number(),
});

/** What it answers. It has read hostile bytes: nothing is believed that does not fit this. */
export const pageReplySchema = z.discriminatedUnion("read", [
  z.object({ read: z.literal("page"), facts: pageFactsSchema }),
  z.object({ read: z.literal("feed"), urls: z.array(z.string()).nullable() }),
  z.object({
    read: z.literal("sitemap"),
    sitemap: z.object({ pages: z.array(z.string()), sitemaps: z.array(z.string()) }).nullable(),
  }),
  z.object({
    read: z.literal("nothing"),
    error: z.object({ code: z.enum(errorCodes), message: z.string(), action: z.string() }),
  }),
]);
export type PageReply = z.infer<typeof pageReplySchema>;

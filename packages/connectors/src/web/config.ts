import { z } from "zod";
import { pathFilterShape } from "../path-filter.ts";

export const webConfigSchema = z.object({
  url: z.url({ protocol: /^https?$/ }).meta({
    title: "Address",
    description: "Where the crawl begins; only pages of this host are read.",
  }),
  ...pathFilterShape,
  maxPages: z.number().int().min(1).max(100_000).default(1000).meta({ title: "Pages at most" }),
  maxDepth: z.number().int().min(0).max(100).default(10).meta({ title: "Links to follow from the start" }),
  requestsPerSecond: z.number().min(0.01).max(1000).default(2).meta({
    title: "Requests per second",
    description: "A longer crawl-delay in robots.txt wins.",
  }),
  concurrency: z.number().int().min(1).max(16).default(2).meta({ title: "Requests at a time" }),
  render: z.enum(["auto", "always", "never"]).default("auto").meta({
    title: "Run JavaScript",
    description: "auto: only on pages that say almost nothing without it.",
  }),
  respectNoindex: z.boolean().default(true).meta({ title: "Leave out pages marked noindex" }),
  contact: z.string().min(3).max(200).nullable().default(null).meta({
    title: "Contact",
    description: "An address or e-mail that the site's owner finds in the crawler's name.",
  }),
  allowPrivateHosts: z.boolean().default(false).meta({
    title: "Allow private hosts",
    description: "For sites in one's own network. Metadata services stay refused.",
    administrator: true,
  }),
});
export type WebConfig = z.infer<typeof webConfigSchema>;

export const webSecretSchema = z.object({});
export type WebSecrets = z.infer<typeof webSecretSchema>;

/** What robots.txt calls us. */
export const robotsAgent = "AnnealBot";

export function userAgentOf(config: WebConfig): string {
  // Header values are visible ASCII; the rest of a contact would break the request.
  const contact = config.contact?.replace(/[^\x20-\x7e]/g, "") ?? "";
  return `${robotsAgent}/0.1 (${contact === "" ? "no contact given" : `+${contact}`})`;
}

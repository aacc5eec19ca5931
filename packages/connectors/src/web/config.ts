import { z } from "zod";
import { choice } from "../choice.ts";
import type { SourceFacts } from "../connector.ts";
import { pathFilterShape } from "../path-filter.ts";
import { privateHostsField } from "../private-hosts-field.ts";
import { robotsAgent } from "./robots-rules.ts";

const addresses = z.array(z.url({ protocol: /^https?$/ }));

export const webConfigSchema = z.object({
  url: z.url({ protocol: /^https?$/ }).meta({
    title: "Address",
    description: "Where the crawl begins. Only pages of this host, and of those named below, are read.",
    examples: ["https://docs.example.com/"],
  }),
  seeds: addresses.max(50).default([]).meta({
    title: "More addresses",
    description: "Also begin here; other hosts are crawled as well, each by its own robots.txt and at its own pace.",
  }),
  feeds: addresses.max(50).default([]).meta({
    title: "Feeds",
    description: "RSS, Atom or JSON feeds that name pages. Those that the first pages link to are found by themselves.",
  }),
  sitemaps: addresses.max(50).default([]).meta({
    title: "Sitemaps",
    description: "Only where robots.txt does not name them and they are not at /sitemap.xml.",
  }),
  ...pathFilterShape,
  maxPages: z.number().int().min(1).max(100_000).default(1000).meta({ title: "Pages at most" }),
  maxDepth: z.number().int().min(0).max(100).default(10).meta({ title: "Links to follow from the start" }),
  maxPagesPerPattern: z.number().int().min(10).max(100_000).default(500).meta({
    title: "Pages of one pattern",
    description:
      "Addresses that differ only in numbers or parameters, such as a calendar's. Those in a sitemap or a feed do not count.",
  }),
  requestsPerSecond: z.number().min(0.01).max(1000).default(2).meta({
    title: "Requests per second",
    description: "To each host. A longer crawl-delay in robots.txt wins.",
  }),
  concurrency: z.number().int().min(1).max(16).default(2).meta({
    title: "Requests at a time",
    description: "To each host.",
  }),
  render: choice({ auto: "Where a page says almost nothing without it", always: "Always", never: "Never" })
    .default("auto")
    .meta({ title: "Run JavaScript" }),
  respectNoindex: z.boolean().default(true).meta({ title: "Leave out pages marked noindex" }),
  contact: z.string().min(3).max(200).nullable().default(null).meta({
    title: "Contact",
    description: "An address or e-mail that the site's owner finds in the crawler's name.",
  }),
  from: z.email().max(200).nullable().default(null).meta({
    title: "From",
    description: "E-mail address of whoever runs the crawl, sent as the From header. Empty: the contact, if it is one.",
  }),
  allowPrivateHosts: privateHostsField("For sites in one's own network."),
});
export type WebConfig = z.infer<typeof webConfigSchema>;

/** Of a stored login. */
export const maxStateChars = 1_000_000;

export const webSecretSchema = z.object({
  storageState: z.string().min(2).max(maxStateChars).optional().meta({
    title: "Login",
    description:
      "For pages behind a login: run npx playwright codegen --save-storage=state.json <url>, sign in as the user whose view is to be read, close the browser, and paste the content of state.json. Its cookies go to their own domains only.",
  }),
});
export type WebSecrets = z.infer<typeof webSecretSchema>;

/** Who asks: the headers of every request, the browser's included. */
export function identityOf(config: WebConfig): { userAgent: string; from: string | null } {
  // Header values are visible ASCII; the rest of a contact would break the request.
  const contact = config.contact?.replace(/[^\x20-\x7e]/g, "") ?? "";
  const from = config.from ?? (z.email().safeParse(contact).success ? contact : null);
  return {
    userAgent: `${robotsAgent}/0.1 (${contact === "" ? "no contact given" : `+${contact}`})`,
    from: from?.replace(/[^\x21-\x7e]/g, "") ?? null,
  };
}

export const webFacts: SourceFacts = {
  changeModel: "conditional",
  capabilities: { permissions: false, deletions: true, moves: false },
};

import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../src/connector.ts";
import { createRemoteClient, type RemoteClient } from "../src/remote/remote-client.ts";
import type { TemplateSourceConfig, TemplateSourceSecrets } from "./config.ts";

/**
 * The service's API: the only file that knows its addresses and the shape of its answers. Name the pages of its
 * documentation here. Only the fields that are used are parsed; others may come and go.
 */
const documentSchema = z.looseObject({
  id: z.string().min(1),
  title: z.string(),
  link: z.string(),
  /** Changes with the content. */
  revision: z.string(),
  updated_at: z.iso.datetime({ offset: true }),
  size: z.number(),
  /** Addresses of people, and names of groups as "group:name". Absent when the service could not tell. */
  readers: z.array(z.string()).optional(),
});
export type ListedDocument = z.infer<typeof documentSchema>;

/** `total`: of all pages. */
const pageSchema = z.looseObject({
  documents: z.array(documentSchema),
  total: z.number(),
  next: z.string().nullable(),
});
type Page = z.infer<typeof pageSchema>;

const groupsSchema = z.looseObject({
  groups: z.array(z.looseObject({ name: z.string(), members: z.array(z.string()) })),
});
export type ListedGroup = z.infer<typeof groupsSchema>["groups"][number];

export type TemplateSourceApi = {
  /** Every document of the folder, page by page. */
  listDocuments(): AsyncIterable<Pick<Page, "documents" | "total">>;
  listGroups(): Promise<ListedGroup[]>;
  download(id: string): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
};

/**
 * The client does what is the same for every service: private addresses refused, Retry-After kept, a token renewed once
 * after a 401, sizes limited, a sync cancelled, and no credential in an error. Never call `fetch` yourself.
 */
export function openApi(
  config: TemplateSourceConfig,
  secrets: TemplateSourceSecrets,
  context: ConnectContext,
): TemplateSourceApi {
  const client: RemoteClient = createRemoteClient({
    service: "Template source",
    baseUrl: config.url.endsWith("/") ? config.url : `${config.url}/`,
    allowPrivateHosts: config.allowPrivateHosts,
    context,
    authorize: async () => ({ authorization: `Bearer ${secrets.token}` }),
    explain,
  });
  return {
    async *listDocuments() {
      let next: string | null = null;
      do {
        const query: Record<string, string | undefined> = {
          folder: config.folder || undefined,
          from: next ?? undefined,
        };
        const page: Page = await client.json("documents", pageSchema, { query });
        yield page;
        next = page.next;
      } while (next !== null);
    },
    listGroups: async () => (await client.json("groups", groupsSchema)).groups,
    // An id goes into an address encoded, so that it cannot become another path.
    download: (id) => client.download(`documents/${encodeURIComponent(id)}/content`, id),
    close: () => client.close(),
  };
}

/** What an answer means, in the service's own words: name the right that has to be granted. null: as for any service. */
function explain(status: number): AnnealError | null {
  if (status !== 403) return null;
  return new AnnealError("SOURCE_FORBIDDEN", "Template source knows the token, which may not read documents.", {
    action: 'Give it the right "documents:read" (and "groups:read" for permissions) in the service\'s settings.',
  });
}

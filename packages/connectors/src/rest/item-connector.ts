import type { z } from "zod";
import { defineConnector, type ConnectContext, type Connector } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import type { RemoteClient } from "../remote/remote-client.ts";
import { checkItems } from "./check-items.ts";
import { itemFacts, restSecretSchema, type ItemConfig, type RestSecrets } from "./config.ts";
import type { Mapping } from "./item.ts";
import type { ItemListing } from "./pages.ts";
import { readItemDirectory } from "./read-directory.ts";
import { readItems } from "./read-items.ts";

/** A service, opened as its configuration says. */
export type OpenApi = { client: RemoteClient; mapping: Mapping; listing: ItemListing };

/** A connector for a service whose items are described by its configuration alone. */
export function defineItemConnector<Config extends ItemConfig>(options: {
  kind: string;
  title: string;
  configSchema: z.ZodType<Config>;
  open(config: Config, secrets: RestSecrets, context: ConnectContext): OpenApi;
}): Connector<Config, RestSecrets> {
  const { kind, title, configSchema, open } = options;
  return defineConnector<Config, RestSecrets>({
    kind,
    title,
    ...itemFacts,
    configSchema,
    secretSchema: restSecretSchema,

    async check(config, secrets, context) {
      try {
        const { client, mapping, listing } = open(config, secrets, context);
        try {
          return await checkItems(config, mapping, listing);
        } finally {
          await client.close();
        }
      } catch (error) {
        return failedCheck("read", error);
      }
    },

    async *read(request) {
      const { client, mapping, listing } = open(request.config, request.secrets, request.context);
      try {
        yield* readItems(request, mapping, listing);
      } finally {
        await client.close();
      }
    },

    async *readDirectory({ config, secrets, context }) {
      const { client, mapping, listing } = open(config, secrets, context);
      try {
        yield* readItemDirectory(config, mapping.readers, listing);
      } finally {
        await client.close();
      }
    },
  });
}

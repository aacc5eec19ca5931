import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import type { RemoteClient } from "../remote/remote-client.ts";
import { createApiClient } from "./api-client.ts";
import { restConfigSchema, type RestConfig } from "./config.ts";
import { defineItemConnector } from "./item-connector.ts";
import { createMapping, type SecondRequest } from "./item.ts";
import { parsePath } from "./path.ts";
import { readersOf } from "./readers.ts";
import { addressOf, restListing } from "./rest-pages.ts";
import { noContentPath, textAt } from "./second-answer.ts";
import { fillAddress, parseTemplate } from "./template.ts";

export const restConnector = defineItemConnector<RestConfig>({
  kind: "rest",
  title: "REST API",
  configSchema: restConfigSchema,
  open(config, secrets, context) {
    const client = createApiClient(config, secrets, context);
    const readers = readersOf("rest", config, [config.groups]);
    const mapping = createMapping(config, readers, secondRequest(client, config, context));
    return { client, mapping, listing: restListing(client, config) };
  },
});

function secondRequest(client: RemoteClient, config: RestConfig, context: ConnectContext): SecondRequest | null {
  if (config.contentPath === null) return null;
  const template = parseTemplate(config.contentPath);
  const field = config.contentField === null ? null : parsePath(config.contentField);
  return {
    settings: [config.contentPath, config.contentField],
    mediaType: field === null ? null : "text/markdown",
    async open(item, ref) {
      const path = fillAddress(template, item);
      if (path === "") throw noContentPath(ref);
      const address = addressOf(config.url, path);
      if (field === null) return client.download(address, ref);
      return textAt(await client.json(address, z.unknown()), field, ref, context.limits.documentBytes);
    },
  };
}

import type { ConnectContext } from "../connector.ts";
import { parseJson } from "../remote/remote-answer.ts";
import type { RemoteClient } from "../remote/remote-client.ts";
import { createApiClient } from "./api-client.ts";
import { graphqlConfigSchema, type GraphqlConfig } from "./config.ts";
import { askGraphql, explainGraphql, graphqlListing } from "./graphql-pages.ts";
import { defineItemConnector } from "./item-connector.ts";
import { createMapping, type SecondRequest } from "./item.ts";
import { parsePath, select } from "./path.ts";
import { readersOf } from "./readers.ts";
import { textAt } from "./second-answer.ts";

export const graphqlConnector = defineItemConnector<GraphqlConfig>({
  kind: "graphql",
  title: "GraphQL API",
  configSchema: graphqlConfigSchema,
  open(config, secrets, context) {
    const client = createApiClient(config, secrets, context, {
      // Some services answer a query that they do not understand with a status of its own.
      explain: (status, body) =>
        status === 400 || status === 422 ? explainGraphql(config.url, parseJson(body)) : null,
      isRefusal: (answer) => explainGraphql(config.url, answer)?.code === "SOURCE_CREDENTIALS",
    });
    const readers = readersOf("graphql", config, [config.groupsQuery]);
    const mapping = createMapping(config, readers, secondQuery(client, config, context));
    return { client, mapping, listing: graphqlListing(client, config) };
  },
});

function secondQuery(client: RemoteClient, config: GraphqlConfig, context: ConnectContext): SecondRequest | null {
  if (config.contentQuery.length === 0 || config.contentField === null) return null;
  const query = config.contentQuery.join("\n");
  const field = parsePath(config.contentField);
  const id = parsePath(config.id);
  return {
    settings: [query, config.contentField],
    mediaType: "text/markdown",
    async open(item, ref) {
      // As the service wrote it: a number stays one, but for those that only their digits tell.
      const { data } = await askGraphql(client, config, query, { id: select(item, id) });
      return textAt(data, field, ref, context.limits.documentBytes);
    },
  };
}

import { AnnealError } from "@anneal/core/errors";
import type { Connector } from "./connector.ts";
import { fileConnector } from "./file/file-connector.ts";
import { postgresConnector } from "./postgres/postgres-connector.ts";
import { s3Connector } from "./s3/s3-connector.ts";
import { webConnector } from "./web/web-connector.ts";

/** Whoever looks a connector up by its kind parses the values with its own schemas before handing them over. */
export type AnyConnector = Connector<Record<string, unknown>, Record<string, unknown>>;

export const connectors: readonly AnyConnector[] = [fileConnector, s3Connector, postgresConnector, webConnector];

/** @throws AnnealError INVALID_INPUT */
export function requireConnector(kind: string): AnyConnector {
  const found = connectors.find((connector) => connector.kind === kind);
  if (found) return found;
  throw new AnnealError("INVALID_INPUT", `There is no connector of kind ${JSON.stringify(kind)}.`, {
    action: `Use one of: ${connectors.map((connector) => connector.kind).join(", ")}.`,
  });
}

import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { MongoPlace } from "./client.ts";
import type { CollectionConfig, MongodbConfig } from "./config.ts";
import { toMongodbError } from "./mongodb-errors.ts";

export type CollectionFailure = { name: string; error: AnnealError };

const infoSchema = z.looseObject({ name: z.string(), type: z.string().default("collection") });

/** By name, with their type: collection, view or timeseries. Only those that the user may read. */
export async function listCollections(
  { database, calls }: MongoPlace,
  config: MongodbConfig,
): Promise<Map<string, string>> {
  try {
    const infos = await calls.call("list", () =>
      database.listCollections({}, { nameOnly: true, authorizedCollections: true }).toArray(),
    );
    const found = new Map<string, string>();
    for (const info of infos) {
      const { name, type } = infoSchema.parse(info);
      if (!name.startsWith("system.")) found.set(name, type);
    }
    return found;
  } catch (error) {
    throw toMongodbError(error, config, null);
  }
}

/** A query of a collection that is not there finds nothing, which must never look like a collection that was emptied. */
export async function resolveCollections(
  place: MongoPlace,
  config: MongodbConfig,
): Promise<{ collections: CollectionConfig[]; failures: CollectionFailure[] }> {
  const found = await listCollections(place, config);
  if (config.collections.length > 0) {
    const missing = config.collections.filter(({ name }) => !found.has(name));
    return {
      collections: config.collections.filter(({ name }) => found.has(name)),
      failures: missing.map(({ name }) => ({ name, error: missingCollection(config, name) })),
    };
  }
  // A view's documents are another collection's, and measurements of a time series have no lasting name.
  const names = [...found].flatMap(([name, type]) => (type === "collection" ? name : [])).sort();
  if (names.length > 0) {
    const settings = { filter: null, fields: [], title: null, watermark: null, owner: null };
    return { collections: names.map((name) => ({ name, ...settings })), failures: [] };
  }
  throw new AnnealError("SOURCE_EMPTY", `Database "${config.database}" on ${config.host} has no collection to read.`, {
    action: `Check the database's name, or db.grantRolesToUser("${config.user}", [{ role: "read", db: "${config.database}" }]).`,
  });
}

export function missingCollection(config: MongodbConfig, name: string): AnnealError {
  return new AnnealError(
    "SOURCE_NOT_FOUND",
    `Collection "${name}" does not exist, or "${config.user}" may not see it.`,
    {
      action: `Check its name, or db.grantRolesToUser("${config.user}", [{ role: "read", db: "${config.database}" }]).`,
    },
  );
}

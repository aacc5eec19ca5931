import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { joinNames, sampleCount } from "../preview.ts";
import { describeChanges } from "../sql/check-changes.ts";
import { checkReadOnly, openDatabase, type MongoPlace } from "./client.ts";
import { listCollections, missingCollection, resolveCollections } from "./collections.ts";
import type { CollectionConfig, MongodbConfig, MongodbSecrets } from "./config.ts";
import { toMongodbError } from "./mongodb-errors.ts";
import { countDocuments, readMaxWatermark } from "./read-collection.ts";

export async function checkMongodb(
  config: MongodbConfig,
  secrets: MongodbSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  try {
    const { close, ...place } = await openDatabase(config, secrets, context);
    try {
      const { check, refusal } = await checkReadOnly(place, config);
      const { collections, failures } = await resolveCollections(place, config);
      const checks: CapabilityCheck[] = [
        ...(await checkCollections(place, config, collections)),
        ...failures.map(({ error }): CapabilityCheck => {
          return { capability: "read", status: "warning", message: error.message, action: error.action };
        }),
        ...describeChanges(collections, "document"),
        check,
        await checkPermissions(place, config, collections),
      ];
      const [failure] = failures;
      const error = refusal ?? (collections.length === 0 ? failure?.error : undefined);
      if (error !== undefined) return { checks, summary: null, error: error.toReport() };
      const holds = await describeDocuments(place, config, collections);
      return { checks, summary: `Database "${config.database}" on ${config.host} can be read: ${holds}.`, error: null };
    } finally {
      await close();
    }
  } catch (error) {
    return failedCheck("read", error);
  }
}

async function checkCollections(
  place: MongoPlace,
  config: MongodbConfig,
  collections: CollectionConfig[],
): Promise<CapabilityCheck[]> {
  const checks: CapabilityCheck[] = [];
  for (const collection of collections) {
    const { name, watermark } = collection;
    checks.push({ capability: "read", status: "ok", message: `"${name}" can be read.` });
    if (watermark === null) continue;
    try {
      if ((await readMaxWatermark(place, collection)) !== null) continue;
    } catch (error) {
      throw toMongodbError(error, config, name);
    }
    const message = `No document of "${name}" has "${watermark}", so all of it is read every time.`;
    checks.push({ capability: "changes", status: "warning", message });
  }
  return checks;
}

async function checkPermissions(
  place: MongoPlace,
  config: MongodbConfig,
  collections: CollectionConfig[],
): Promise<CapabilityCheck> {
  const warn = (message: string): CapabilityCheck => ({ capability: "permissions", status: "warning", message });
  const owned = collections.filter(({ owner }) => owner !== null);
  const audience = "Documents of a collection without an owner field get the source's default audience.";
  if (owned.length === 0) return warn(audience);
  if (config.peopleCollection === null) {
    return warn("Owned documents are shown to nobody until the collection of the people is given.");
  }
  if (!(await listCollections(place, config)).has(config.peopleCollection)) {
    return warn(`Owned documents are shown to nobody: ${missingCollection(config, config.peopleCollection).message}`);
  }
  if (owned.length < collections.length) return warn(audience);
  return { capability: "permissions", status: "ok", message: "Each document is shown to its owners." };
}

const countedDocuments = 1000;

/** '12 documents in "articles", at least 1,000 documents in "log" and 4 more' */
async function describeDocuments(
  place: MongoPlace,
  config: MongodbConfig,
  collections: CollectionConfig[],
): Promise<string> {
  const parts: string[] = [];
  for (const collection of collections.slice(0, sampleCount)) {
    const { name } = collection;
    const count = await countDocuments(place, collection, countedDocuments).catch((error: unknown) => {
      throw toMongodbError(error, config, name);
    });
    const number = `${count < countedDocuments ? "" : "at least "}${count.toLocaleString("en")}`;
    const matching =
      collection.filter === null ? "" : count === 1 ? " that matches the filter" : " that match the filter";
    parts.push(`${number} ${count === 1 ? "document" : "documents"} in "${name}"${matching}`);
  }
  const more = collections.length - parts.length;
  return joinNames(more > 0 ? [...parts, `${more} more`] : parts);
}

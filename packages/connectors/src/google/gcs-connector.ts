import { basename } from "node:path";
import type { Change, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { defineConnector, type CheckResult, type ConnectContext, type ReadRequest } from "../connector.ts";
import { failedCheck, tooLarge } from "../failure.ts";
import { mediaTypeOf, parseMediaType } from "../media-type.ts";
import { isIncluded } from "../path-filter.ts";
import { addToPreview, describePreview, type Preview } from "../preview.ts";
import { deleteMissing } from "../reconcile.ts";
import type { RemoteClient } from "../remote/remote-client.ts";
import { SeenRefs } from "../seen-refs.ts";
import { gcsConfigSchema, gcsSecretSchema, type GcsConfig, type GcsSecrets } from "./config.ts";
import { createGcsClient, listPage, readObject, type GcsObject } from "./gcs-api.ts";

export const gcsConnector = defineConnector<GcsConfig, GcsSecrets>({
  kind: "gcs",
  title: "Google Cloud Storage",
  changeModel: "fingerprint",
  // What people call a move is a new object and a deleted one.
  capabilities: { permissions: false, deletions: true, moves: false },
  configSchema: gcsConfigSchema,
  secretSchema: gcsSecretSchema,

  check: checkBucket,
  read: readBucket,
});

const pageSize = 1000;

async function checkBucket(config: GcsConfig, secrets: GcsSecrets, context: ConnectContext): Promise<CheckResult> {
  try {
    const client = createGcsClient(config, secrets, context);
    try {
      const { objects, next } = await listPage(client, config, undefined, pageSize);
      const wanted = objects.filter((object) => isWanted(object, config));
      const preview: Preview = { count: 0, complete: next === undefined, samples: [] };
      for (const { name } of wanted) addToPreview(preview, name);
      // To list and to read are two permissions.
      const [first] = wanted;
      if (first !== undefined) for await (const _ of await readObject(client, config, first.name)) break;
      const place = `${config.prefix === "" ? "Bucket" : `"${config.prefix}" in bucket`} "${config.bucket}"`;
      return {
        checks: [
          first === undefined
            ? { capability: "read", status: "warning", message: `${place} holds no object to read.` }
            : { capability: "read", status: "ok", message: `Objects in ${place} can be read.` },
          {
            capability: "permissions",
            status: "warning",
            message: "Access to objects is not read: every document gets the source's default audience.",
          },
        ],
        summary: `${place} can be read and holds ${describePreview(preview, "object")}.`,
        error: null,
      };
    } finally {
      await client.close();
    }
  } catch (error) {
    return failedCheck("read", error);
  }
}

/** Listed whole each time, which reads no content: a checkpoint needs no position. */
async function* readBucket(request: ReadRequest<GcsConfig, GcsSecrets>): AsyncIterable<Change> {
  const { config, secrets, known, context } = request;
  const client = createGcsClient(config, secrets, context);
  try {
    const seen = new SeenRefs();
    let scanned = 0;
    let pageToken: string | undefined;
    do {
      const { objects, next } = await listPage(client, config, pageToken, pageSize);
      for (const object of objects) {
        if (!isWanted(object, config)) continue;
        seen.add(object.name);
        scanned += 1;
        const change = await changeOf(client, config, object, known, context.limits.documentBytes);
        if (change !== null) yield change;
      }
      yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: null };
      pageToken = next;
    } while (pageToken !== undefined);
    yield* deleteMissing(known, context.deletions, (ref) => !seen.has(ref));
    yield { type: "checkpoint", cursor: { version: 1 }, scanned, total: scanned };
  } finally {
    await client.close();
  }
}

function isWanted({ name }: GcsObject, config: GcsConfig): boolean {
  // A name that ends in a slash is what the console creates to show an empty folder.
  return !name.endsWith("/") && isIncluded(name.slice(config.prefix.length), config);
}

async function changeOf(
  client: RemoteClient,
  config: GcsConfig,
  object: GcsObject,
  known: KnownItems,
  maxBytes: number,
): Promise<Change | null> {
  if (object.name.includes("\0")) return unspeakableName(object.name);
  const item = itemOf(config, object);
  if ((await known.fingerprintOf(item.ref)) === item.fingerprint) return null;
  if (item.sizeBytes !== null && item.sizeBytes > maxBytes) {
    return { type: "failure", ref: item.ref, error: tooLarge(item.uri, item.sizeBytes, maxBytes).toReport() };
  }
  return { type: "upsert", item, content: { open: () => readObject(client, config, object.name) } };
}

/** Databases do not take this character in a text. */
function unspeakableName(name: string): Change {
  const ref = name.replaceAll("\0", "%00");
  const error = new AnnealError("INVALID_INPUT", `The name "${ref}" holds a null character.`, {
    action: "Copy the object to a name without it.",
  });
  return { type: "failure", ref, error: error.toReport() };
}

function itemOf(config: GcsConfig, { name, size, generation, updated, contentType }: GcsObject): SourceItem {
  const sizeBytes = Number(size);
  return {
    ref: name,
    uri: `gs://${config.bucket}/${name}`,
    title: basename(name),
    mediaType: mediaTypeOf(name) ?? parseMediaType(contentType ?? null),
    sizeBytes: Number.isSafeInteger(sizeBytes) ? sizeBytes : null,
    modifiedAt: updated ?? null,
    fingerprint: generation,
    acl: null,
  };
}

import { AnnealError } from "@anneal/core/errors";
import type { ObjectStore } from "@anneal/objects/object-store";
import { openObjectStore } from "@anneal/objects/open-object-store";
import { env } from "#env.ts";

let opened: ObjectStore | undefined;

/** @throws AnnealError PREREQUISITE_MISSING when no store is configured. */
export function objects(): ObjectStore {
  const { ANNEAL_OBJECTS, ANNEAL_S3_ENDPOINT } = env();
  if (!ANNEAL_OBJECTS)
    throw new AnnealError("PREREQUISITE_MISSING", "The portal does not know where documents are stored.", {
      action: "Set ANNEAL_OBJECTS to the folder or bucket that the worker uses.",
    });
  opened ??= openObjectStore(ANNEAL_OBJECTS, { s3Endpoint: ANNEAL_S3_ENDPOINT });
  return opened;
}

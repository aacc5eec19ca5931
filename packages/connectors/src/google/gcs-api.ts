import { AnnealError } from "@anneal/core/errors";
import type { storage_v1 } from "@googleapis/storage";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { orLostPosition } from "../remote/lost-position.ts";
import { RemoteError } from "../remote/remote-client.ts";
import type { GcsConfig, GcsSecrets } from "./config.ts";
import { createGoogleClient, type GoogleClient } from "./google-client.ts";
import { reasonOf } from "./google-errors.ts";
import { parseServiceAccount } from "./service-account.ts";

/** The parts of the Cloud Storage JSON API that are used ("Objects: list", "Objects: get"). */
const objectSchema = z.looseObject({
  name: z.string().min(1),
  size: z.string().default("0"),
  /** Another one with every new content, and never used again. */
  generation: z.string().min(1),
  updated: z.string().optional(),
  contentType: z.string().optional(),
});
export type GcsObject = z.infer<typeof objectSchema>;

const objectListSchema = z.looseObject({
  items: z.array(objectSchema).default([]),
  nextPageToken: z.string().optional(),
});

export type GcsClient = GoogleClient<storage_v1.Storage>;

type ObjectPage = { objects: GcsObject[]; next: string | undefined };

export function createGcsClient(
  config: GcsConfig,
  secrets: GcsSecrets,
  context: Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent" | "clock">,
): GcsClient {
  const { serviceAccountKey } = secrets;
  return createGoogleClient({
    service: "Cloud Storage",
    baseUrl: "https://storage.googleapis.com",
    open: async (library) => new (await import("@googleapis/storage")).storage_v1.Storage(library),
    account: serviceAccountKey === undefined ? null : parseServiceAccount(serviceAccountKey),
    subject: null,
    scopes: ["https://www.googleapis.com/auth/devstorage.read_only"],
    place: config,
    context,
  });
}

export async function listPage(
  client: GcsClient,
  config: GcsConfig,
  pageToken: string | undefined,
  maxResults: number,
): Promise<ObjectPage> {
  try {
    const page = await client
      .ask(objectListSchema, ({ objects }) =>
        objects.list({
          bucket: config.bucket,
          prefix: config.prefix || undefined,
          maxResults,
          fields: "nextPageToken,items(name,size,generation,updated,contentType)",
          userProject: config.userProject ?? undefined,
          pageToken,
        }),
      )
      .catch(orLostPosition("Cloud Storage", pageToken));
    return { objects: page.items, next: page.nextPageToken };
  } catch (error) {
    throw toGcsError(error, config, null);
  }
}

export async function readObject(
  client: GcsClient,
  config: GcsConfig,
  name: string,
): Promise<AsyncIterable<Uint8Array>> {
  try {
    const path = `/storage/v1/b/${encodeURIComponent(config.bucket)}/o/${encodeURIComponent(name)}`;
    return await client.download(path, name, {
      query: { alt: "media", userProject: config.userProject ?? undefined },
    });
  } catch (error) {
    throw toGcsError(error, config, name);
  }
}

/** @param name the object, or null for the bucket as a whole */
function toGcsError(error: unknown, config: GcsConfig, name: string | null): unknown {
  if (!(error instanceof RemoteError)) return error;
  const bucket = `Bucket "${config.bucket}"`;
  const place = name === null ? bucket : `"${name}" in bucket "${config.bucket}"`;
  const { details } = error;
  switch (error.status) {
    case 400:
      if (!/requester pays/i.test(reasonOf(error.body).message)) return error;
      return new AnnealError("INVALID_INPUT", `Whoever reads ${place} pays for it, and no project is named to pay.`, {
        action: "Enter a billing project in which the service account has the role Service Usage Consumer.",
        details,
      });
    case 401:
      return new AnnealError("SOURCE_CREDENTIALS", `${bucket} may not be read without a valid service account key.`, {
        action: "Enter the key of a service account that has the role Storage Object Viewer on the bucket.",
        details,
      });
    case 403:
      // What is said more precisely than "forbidden" is left as it is: an API that is not enabled, a limit.
      if (error.code === "RATE_LIMITED" || !["forbidden", ""].includes(String(details.reason ?? ""))) return error;
      return new AnnealError("SOURCE_FORBIDDEN", `${place} may not be read with this key.`, {
        action:
          "Grant the service account the role Storage Object Viewer (storage.objects.list and storage.objects.get) on the bucket.",
        details,
      });
    case 404:
      return new AnnealError(
        "SOURCE_NOT_FOUND",
        name === null ? `${bucket} does not exist.` : `${place} is no longer there.`,
        { action: name === null ? "Check the bucket's name." : "Sync again.", details },
      );
    default:
      return error;
  }
}

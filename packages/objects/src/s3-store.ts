import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { Readable } from "node:stream";
import { assertKey, missingObject, readAll, type ObjectStore } from "./object-store.ts";

/** As large as the parts of a multipart upload are: more is sent in parts. */
const maxWholeBytes = 5 * 1024 ** 2;

/** Credentials and region come from the usual AWS_* environment, files or instance role. */
export function openS3Store(place: { bucket: string; prefix: string; endpoint?: string | undefined }): ObjectStore {
  const client = new S3Client(place.endpoint ? { endpoint: place.endpoint, forcePathStyle: true } : {});
  const base = place.prefix === "" ? "" : `${place.prefix}/`;
  const at = (key: string) => {
    assertKey(key);
    return { Bucket: place.bucket, Key: `${base}${key}` };
  };
  const store: ObjectStore = {
    async put(key, body) {
      if (body instanceof Uint8Array && body.byteLength <= maxWholeBytes) {
        await client.send(new PutObjectCommand({ ...at(key), Body: body }));
        return { sizeBytes: body.byteLength };
      }
      let sizeBytes = 0;
      async function* counted() {
        for await (const part of body instanceof Uint8Array ? [body] : body) {
          sizeBytes += part.byteLength;
          yield part;
        }
      }
      // A multipart upload of unknown length becomes visible only when it is complete.
      await new Upload({ client, params: { ...at(key), Body: Readable.from(counted()) } }).done();
      return { sizeBytes };
    },
    async get(key) {
      return readAll(await store.stream(key));
    },
    async stream(key) {
      try {
        const { Body } = await client.send(new GetObjectCommand(at(key)));
        return Body as Readable;
      } catch (error) {
        throw error instanceof NoSuchKey ? missingObject(key) : error;
      }
    },
    async exists(key) {
      try {
        await client.send(new HeadObjectCommand(at(key)));
        return true;
      } catch (error) {
        if (error instanceof NotFound) return false;
        throw error;
      }
    },
    async remove(key) {
      await client.send(new DeleteObjectCommand(at(key)));
    },
    async *list(prefix) {
      let ContinuationToken: string | undefined;
      do {
        const page = await client.send(
          new ListObjectsV2Command({ Bucket: place.bucket, Prefix: `${at(prefix).Key}/`, ContinuationToken }),
        );
        for (const item of page.Contents ?? []) yield item.Key!.slice(base.length);
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
    },
  };
  return store;
}

import { AnnealError } from "@anneal/core/errors";
import { openFolderStore } from "./folder-store.ts";
import type { ObjectStore } from "./object-store.ts";
import { openS3Store } from "./s3-store.ts";

/** @param url `file:///dir` or `s3://bucket/prefix`. */
export function openObjectStore(url: string, options: { s3Endpoint?: string } = {}): ObjectStore {
  const parsed = URL.parse(url);
  switch (parsed?.protocol) {
    case "file:":
      return openFolderStore(decodeURIComponent(parsed.pathname));
    case "s3:":
      return openS3Store({
        bucket: parsed.hostname,
        prefix: parsed.pathname.replaceAll(/^\/+|\/+$/g, ""),
        endpoint: options.s3Endpoint,
      });
    default:
      throw new AnnealError("INVALID_INPUT", `The object store ${url} is neither a folder nor a bucket.`, {
        action: "Set ANNEAL_OBJECTS to file:///some/folder or s3://bucket/prefix.",
      });
  }
}

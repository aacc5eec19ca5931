import type { StaleStatus } from "../describe-remote.ts";
import { SettledLists } from "../settled-lists.ts";
import type { Answer } from "./drive-routes.ts";

type FakeObject = { content: Buffer; generation: number; updated: string; isForbidden: boolean };

/** Buckets and objects: Cloud Storage JSON API, "Objects: list" and "Objects: get". */
export class FakeBuckets {
  readonly buckets = new Map<string, Map<string, FakeObject>>();
  readonly lists = new SettledLists();
  /** How far its clock is ahead of ours. */
  aheadMs = 0;
  /** So many positions in a list that are shown are refused. */
  staleCursors = 0;
  staleStatus: StaleStatus = 400;
  #generation = 1_700_000_000_000_000;

  put(bucket: string, name: string, text: string): void {
    this.#generation += 1;
    this.buckets.get(bucket)!.set(name, {
      content: Buffer.from(text),
      // A generation is a moment of its clock, in microseconds.
      generation: this.#generation + this.aheadMs * 1000,
      updated: new Date(this.#generation / 1000 + this.aheadMs).toISOString(),
      isForbidden: false,
    });
  }

  answer(path: string, query: URLSearchParams, pageSize: number): Answer {
    const [, bucketName = "", , rawName] = path.split("/").filter((step) => step !== "");
    const bucket = this.buckets.get(decodeURIComponent(bucketName));
    if (bucket === undefined) {
      return { status: 404, reason: "notFound", message: "The specified bucket does not exist." };
    }
    if (rawName === undefined && query.has("pageToken") && this.staleCursors > 0) {
      this.staleCursors -= 1;
      return { status: this.staleStatus, reason: "invalid", message: "Invalid argument.", location: "pageToken" };
    }
    if (rawName === undefined) {
      const prefix = query.get("prefix") ?? "";
      const names = this.lists.of(`${bucketName}/${prefix}`, () =>
        [...bucket.keys()].filter((name) => name.startsWith(prefix)).sort(),
      );
      return listObjects(bucket, names, query, pageSize);
    }
    const object = bucket.get(decodeURIComponent(rawName));
    if (object === undefined) return { status: 404, reason: "notFound", message: "No such object." };
    if (object.isForbidden) {
      return { status: 403, reason: "forbidden", message: "The caller lacks storage.objects.get access." };
    }
    return query.get("alt") === "media" ? { bytes: object.content } : { json: { name: decodeURIComponent(rawName) } };
  }
}

function listObjects(
  bucket: Map<string, FakeObject>,
  names: readonly string[],
  query: URLSearchParams,
  pageSize: number,
): Answer {
  const token = query.get("pageToken");
  const start = token === null ? 0 : names.findIndex((name) => name >= Buffer.from(token, "base64url").toString());
  if (start === -1) return { json: { kind: "storage#objects" } };
  const end = start + Math.min(pageSize, Number(query.get("maxResults") ?? 1000));
  const items = names.slice(start, end).map((name) => {
    const { content, generation, updated } = bucket.get(name)!;
    const contentType = "application/octet-stream";
    return { name, size: String(content.byteLength), generation: String(generation), updated, contentType };
  });
  const next = names[end];
  return {
    json: { items, ...(next === undefined ? {} : { nextPageToken: Buffer.from(next).toString("base64url") }) },
  };
}

import type { AnnealError } from "@anneal/core/errors";
import { expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import { sftpConfigSchema } from "./config.ts";
import { fakeSession, fileMode, folderMode, type Told } from "./fake-session.fixture.ts";
import { readSession } from "./sftp-connector.ts";
import { connectionLost } from "./sftp-errors.ts";

const item = { uri: "", title: "", mediaType: null, sizeBytes: 3, modifiedAt: null, fingerprint: "3-1", acl: null };
const config = sftpConfigSchema.parse({ host: "example.com", user: "ann", path: "/data", hostKeys: [] });

it.each([
  ["a file", ["a", "b.txt"]],
  ["a folder", ["a/1.txt", "a/deep/2.txt", "b.txt"]],
])("keeps what is known of an entry that the server tells nothing of, if it was %s", async (_, refs) => {
  const target = new MemoryTarget();
  for (const ref of [...refs, "gone.txt"]) target.documents.set(ref, { item: { ...item, ref }, text: "" });
  const root: Record<string, Told> = { "/data": { listed: folderMode, looked: folderMode } };
  const session = fakeSession({ ...root, "/data/a": { listed: undefined }, "/data/b.txt": { listed: fileMode } });
  const request = { config, secrets: {}, cursor: null, known: target.known(), context: testContext() };
  await target.apply(readSession(session, request));
  expect([...target.documents.keys()]).toEqual(refs);
  expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["a", "SOURCE_UNREACHABLE"]]);
});

it("ends with the lost connection, and hands on none of what was under way when it broke off", async () => {
  const files = Object.fromEntries(["1", "2", "3"].map((name) => [`/data/${name}`, { listed: fileMode }]));
  let lost: AnnealError | null = null;
  const root = { "/data": { listed: folderMode, looked: folderMode } };
  const session = { ...fakeSession({ ...root, ...files }), lost: () => lost };
  const known = new MemoryTarget().known();
  const refs: string[] = [];
  const run = async () => {
    for await (const change of readSession(session, {
      config,
      secrets: {},
      cursor: null,
      known,
      context: testContext(),
    })) {
      if (change.type === "upsert") refs.push(change.item.ref);
      lost = connectionLost(config);
    }
  };
  await expect(run()).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
  expect(refs).toEqual(["1"]);
});

import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { longPath } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { refuseSigned, RemoteTrouble } from "../../conformance/remote-trouble.ts";
import { startHttpRelay, type HttpRelay } from "../../conformance/start-http-relay.ts";
import { findMotoPython, startMoto, type Moto } from "../../conformance/start-moto.ts";
import { testContext } from "../../conformance/test-context.ts";
import { s3ConfigSchema, type S3Config, type S3Secrets } from "./config.ts";
import { s3Connector } from "./s3-connector.ts";

const python = findMotoPython();
const secrets = { accessKeyId: "testing", secretAccessKey: "testing" };
const context = testContext();

describe.skipIf(python === null)("with moto", () => {
  let moto: Moto;
  let relay: HttpRelay;
  /** By which a key's time is another than that of moto's clock. */
  const aheadMs = new Map<string, number>();
  const trouble = new RemoteTrouble({
    // Amazon S3's own error; MinIO sends a Retry-After with it.
    busy: (waitSeconds) => ({
      status: 503,
      headers: { "retry-after": String(waitSeconds) },
      body: errorXml("SlowDown", "Please reduce your request rate."),
    }),
    credentials: refuseSigned({
      status: 400,
      body: errorXml("ExpiredToken", "The provided token has expired."),
    }),
  });
  let admin: S3Client;
  let bucketCount = 0;
  beforeAll(async () => {
    moto = await startMoto(python!);
    relay = await startHttpRelay(moto.endpoint, trouble, (xml) => shiftTimes(xml, aheadMs));
    admin = new S3Client({ endpoint: moto.endpoint, region: "us-east-1", forcePathStyle: true, credentials: secrets });
  });
  afterAll(async () => {
    admin.destroy();
    await relay.stop();
    await moto.stop();
  });

  const configOf = (config: Partial<S3Config>) =>
    s3ConfigSchema.parse({
      bucket: "none",
      endpoint: moto.endpoint,
      pathStyle: true,
      allowPrivateHosts: true,
      ...config,
    });
  const createBucket = async () => {
    bucketCount += 1;
    const Bucket = `documents-${bucketCount}`;
    await admin.send(new CreateBucketCommand({ Bucket }));
    return Bucket;
  };
  const emptyBucket = async (Bucket: string) => {
    const { Contents = [] } = await admin.send(new ListObjectsV2Command({ Bucket }));
    for (const { Key } of Contents) await admin.send(new DeleteObjectCommand({ Bucket, Key }));
  };
  const sync = async (target: MemoryTarget, config: S3Config, keys: S3Secrets = secrets) => {
    await target.apply(
      s3Connector.read({ config, secrets: keys, cursor: target.cursor, known: target.known(), context }),
    );
    return target;
  };

  describeConnector(
    "s3",
    async () => {
      const Bucket = await createBucket();
      const keyOf = (name: string) => `team/${name}`;
      let clockAheadMs = 0;
      aheadMs.clear();
      const put = async (name: string, text: string) => {
        aheadMs.set(keyOf(name), clockAheadMs);
        await admin.send(new PutObjectCommand({ Bucket, Key: keyOf(name), Body: text }));
      };
      const textOf = async (name: string) => {
        const { Body } = await admin.send(new GetObjectCommand({ Bucket, Key: keyOf(name) }));
        return Body!.transformToString();
      };
      const remove = async (name: string) => {
        await admin.send(new DeleteObjectCommand({ Bucket, Key: keyOf(name) }));
      };
      await admin.send(new PutObjectCommand({ Bucket, Key: "other/outside.md", Body: "not in the prefix" }));
      await admin.send(new PutObjectCommand({ Bucket, Key: "team/guides/", Body: "\n" }));
      return {
        connector: s3Connector,
        config: configOf({ bucket: Bucket, prefix: "team/", endpoint: relay.origin }),
        secrets,
        remote: { trouble, aboutAll: /list-type/ },
        setClock: async (ms) => void (clockAheadMs = ms),
        refOf: keyOf,
        put,
        remove,
        async move(from, to) {
          await put(to, await textOf(from));
          await remove(from);
        },
        async breakItem(name) {
          const text = await textOf(name);
          await admin.send(
            new PutObjectCommand({ Bucket, Key: keyOf(name), Body: "frozen", StorageClass: "DEEP_ARCHIVE" }),
          );
          return () => put(name, text);
        },
        async vanish() {
          const { Contents = [] } = await admin.send(new ListObjectsV2Command({ Bucket, Prefix: "team/" }));
          const names = Contents.map(({ Key }) => (Key ?? "").slice("team/".length));
          const texts = await Promise.all(names.map(async (name) => [name, await textOf(name)] as const));
          await emptyBucket(Bucket);
          await admin.send(new DeleteBucketCommand({ Bucket }));
          return async () => {
            await admin.send(new CreateBucketCommand({ Bucket }));
            for (const [name, text] of texts) await put(name, text);
          };
        },
        // A key has at most 1,024 bytes, those of the prefix among them. Moto itself takes no line feed.
        names: {
          controls: "\t\r\u0001\u007f",
          longest: [longPath(1024 - "team/".length), longPath(1024 - "team/".length, "mixed")],
        },
        close: async () => {},
      };
    },
    "http",
  );

  it("pages through more objects than one listing holds, in a second run without reading any", async () => {
    const bucket = await createBucket();
    for (let start = 0; start < 1100; start += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          admin.send(new PutObjectCommand({ Bucket: bucket, Key: `${start + index}.txt`, Body: `${start + index}` })),
        ),
      );
    }
    const target = await sync(new MemoryTarget(), configOf({ bucket }));
    expect(target.documents.size).toBe(1100);
    expect(target.changes.filter((change) => change.type === "checkpoint").length).toBe(3);
    await sync(target, configOf({ bucket }));
    expect(target.opened).toEqual([]);
  });

  it("reads an object whose key ends in a slash, where it is no folder's marker", async () => {
    const bucket = await createBucket();
    const texts = { "plans/": "\n", "notes/": "Minutes.", "notes/a.md": "Alpha" };
    for (const [Key, Body] of Object.entries(texts)) {
      await admin.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    }
    const target = await sync(new MemoryTarget(), configOf({ bucket }));
    expect(target.contents()).toEqual({ "notes%2F": "Minutes.", "notes/a.md": "Alpha" });
  });

  it("fails one object that is deleted between listing and reading", async () => {
    const bucket = await createBucket();
    for (const Key of ["a.txt", "b.txt"]) await admin.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key }));
    const target = new MemoryTarget();
    const config = configOf({ bucket });
    for await (const change of s3Connector.read({ config, secrets, cursor: null, known: target.known(), context })) {
      if (change.type !== "upsert") continue;
      await admin.send(new DeleteObjectCommand({ Bucket: bucket, Key: change.item.ref }));
      await expect(change.content.open(context.signal)).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
    }
  });

  it("says in check() what it holds under the prefix, folders' own markers left out", async () => {
    const bucket = await createBucket();
    const summary = async () => (await s3Connector.check(configOf({ bucket, prefix: "a/" }), secrets, context)).summary;
    expect(await summary()).toBe(`"a/" in bucket "${bucket}" can be read and holds no object to read.`);
    await admin.send(new PutObjectCommand({ Bucket: bucket, Key: "a/", Body: "\n" }));
    for (const Key of ["a/1.md", "b/2.md"]) {
      await admin.send(new PutObjectCommand({ Bucket: bucket, Key, Body: "text" }));
    }
    expect(await summary()).toBe(`"a/" in bucket "${bucket}" can be read and holds 1 object: a/1.md.`);
  });

  it("names what is wrong: no bucket, nobody there, a metadata service", async () => {
    const checkCode = async (config: Partial<S3Config>) =>
      (await s3Connector.check(configOf(config), secrets, context)).error?.code;
    expect(await checkCode({ bucket: "missing" })).toBe("SOURCE_NOT_FOUND");
    expect(await checkCode({ endpoint: "http://127.0.0.1:9" })).toBe("SOURCE_UNREACHABLE");
    expect(await checkCode({ endpoint: "http://nowhere.invalid" })).toBe("SOURCE_UNREACHABLE");
    expect(await checkCode({ endpoint: "http://169.254.169.254" })).toBe("SOURCE_FORBIDDEN");
  });

  it("reaches no private host unless an administrator allowed it, and says so", async () => {
    const check = async (endpoint: string) => {
      const config = s3ConfigSchema.parse({ bucket: "documents", endpoint, pathStyle: true });
      return (await s3Connector.check(config, secrets, context)).error;
    };
    const { port } = new URL(moto.endpoint);
    for (const host of ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "2130706433"]) {
      expect(await check(`http://${host}:${port}`), host).toMatchObject({
        code: "SOURCE_FORBIDDEN",
        action: expect.stringContaining("“Allow private hosts”"),
      });
    }
  });

  it("tells wrong keys from keys that lack a permission, and never repeats a key", async () => {
    const bucket = await createBucket();
    await admin.send(new PutObjectCommand({ Bucket: bucket, Key: "a.txt", Body: "a" }));
    const reader = await createUser(moto.endpoint, "reader");
    // From here on moto checks signatures and policies.
    await fetch(`${moto.endpoint}/moto-api/reset-auth`, { method: "POST", body: "0" });
    try {
      const errorOf = async (keys: S3Secrets) =>
        sync(new MemoryTarget(), configOf({ bucket }), keys).then(
          () => null,
          (error: unknown) => error,
        );
      const wrongId = { accessKeyId: "AKIAWRONG", secretAccessKey: "very-secret-value" };
      const wrongSecret = { ...reader, secretAccessKey: "very-secret-value" };
      for (const keys of [wrongId, wrongSecret]) {
        const error = await errorOf(keys);
        expect(error).toMatchObject({ code: "SOURCE_CREDENTIALS" });
        expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/AKIA|very-secret-value/);
      }
      const denied = await errorOf(reader);
      expect(denied).toMatchObject({ code: "SOURCE_FORBIDDEN" });
      expect((denied as { action: string }).action).toContain("s3:ListBucket");
    } finally {
      await fetch(`${moto.endpoint}/moto-api/reset-auth`, { method: "POST", body: "Infinity" });
    }
  });
});

function errorXml(code: string, message: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}

/** A listing as a server would give it whose clock was so far ahead when each object was written. */
function shiftTimes(xml: string, aheadMs: ReadonlyMap<string, number>): string {
  return xml.replace(/<Contents>.*?<\/Contents>/gs, (contents) => {
    const key = decodeURIComponent(/<Key>(.*?)<\/Key>/s.exec(contents)?.[1]?.replaceAll("+", " ") ?? "");
    return contents.replace(/(?<=<LastModified>)[^<]*/, (time) =>
      new Date(Date.parse(time) + (aheadMs.get(key) ?? 0)).toISOString(),
    );
  });
}

/** A user without any policy, by IAM's query API. */
async function createUser(endpoint: string, name: string): Promise<{ accessKeyId: string; secretAccessKey: string }> {
  const call = async (Action: string) => {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: {
        Authorization:
          "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x",
      },
      body: new URLSearchParams({ Action, UserName: name, Version: "2010-05-08" }),
    });
    return response.text();
  };
  await call("CreateUser");
  const xml = await call("CreateAccessKey");
  const valueOf = (tag: string) => new RegExp(`<${tag}>([^<]+)<`).exec(xml)?.[1] ?? "";
  return { accessKeyId: valueOf("AccessKeyId"), secretAccessKey: valueOf("SecretAccessKey") };
}

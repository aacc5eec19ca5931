import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  BlobSASPermissions,
  BlobServiceClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
  type ContainerClient,
} from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { longPath } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { refuseSigned, RemoteTrouble } from "../../conformance/remote-trouble.ts";
import { startAzurite, type Azurite } from "../../conformance/start-azurite.ts";
import { startHttpRelay, type HttpRelay } from "../../conformance/start-http-relay.ts";
import { testContext } from "../../conformance/test-context.ts";
import { reportOf } from "../failure.ts";
import { azureBlobConnector } from "./azure-blob-connector.ts";
import { azureBlobConfigSchema, type AzureBlobConfig, type AzureBlobSecrets } from "./config.ts";

const context = testContext();

describe("with azurite", () => {
  let azurite: Azurite;
  let relay: HttpRelay;
  /** By which a blob's time is another than that of azurite's clock. */
  const aheadMs = new Map<string, number>();
  const trouble = new RemoteTrouble({
    // "Common REST API error codes", "Scalability and performance targets for Blob storage".
    busy: (waitSeconds) => refusalOf(503, "ServerBusy", "The server is busy.", { "retry-after": String(waitSeconds) }),
    credentials: refuseSigned(refusalOf(403, "AuthenticationFailed", "Server failed to authenticate the request.")),
  });
  let credential: StorageSharedKeyCredential;
  let service: BlobServiceClient;
  let containerCount = 0;
  beforeAll(async () => {
    azurite = await startAzurite();
    relay = await startHttpRelay(azurite.accountUrl, trouble, (xml) => shiftTimes(xml, aheadMs));
    credential = new StorageSharedKeyCredential(azurite.accountName, azurite.accountKey);
    service = new BlobServiceClient(azurite.accountUrl, credential);
  });
  afterAll(async () => {
    await relay.stop();
    await azurite.stop();
  });

  const configOf = (config: Partial<AzureBlobConfig>) =>
    azureBlobConfigSchema.parse({
      container: "none",
      accountUrl: azurite.accountUrl,
      allowPrivateHosts: true,
      ...config,
    });
  const withKey = (): AzureBlobSecrets => ({ accountKey: azurite.accountKey });
  const createContainer = async () => {
    containerCount += 1;
    const container = service.getContainerClient(`documents-${containerCount}`);
    await container.create();
    return container;
  };
  const put = async (container: ContainerClient, name: string, text: string) => {
    await container.getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
  };
  const sasOf = (container: ContainerClient, permissions: string, expiresOn = new Date(Date.now() + 3_600_000)) =>
    generateBlobSASQueryParameters(
      {
        containerName: container.containerName,
        permissions: ContainerSASPermissions.parse(permissions),
        startsOn: new Date(0),
        expiresOn,
      },
      credential,
    ).toString();
  const sync = async (target: MemoryTarget, config: AzureBlobConfig, secrets: AzureBlobSecrets = withKey()) => {
    await target.apply(
      azureBlobConnector.read({ config, secrets, cursor: target.cursor, known: target.known(), context }),
    );
    return target;
  };
  const errorOf = (config: AzureBlobConfig, secrets?: AzureBlobSecrets) =>
    sync(new MemoryTarget(), config, secrets).then(
      () => null,
      (error: unknown) => error,
    );

  describeConnector(
    "azure-blob",
    async () => {
      const container = await createContainer();
      const nameOf = (name: string) => `team/${name}`;
      const textOf = async (name: string) =>
        (await container.getBlobClient(nameOf(name)).downloadToBuffer()).toString("utf8");
      let clockAheadMs = 0;
      aheadMs.clear();
      const putNamed = async (name: string, text: string) => {
        aheadMs.set(nameOf(name), clockAheadMs);
        await put(container, nameOf(name), text);
      };
      const remove = async (name: string) => {
        await container.deleteBlob(nameOf(name));
      };
      await put(container, "other/outside.md", "not in the prefix");
      await container.getBlockBlobClient("team/guides").upload("", 0, { metadata: { hdi_isfolder: "true" } });
      return {
        connector: azureBlobConnector,
        config: configOf({
          container: container.containerName,
          prefix: "team/",
          accountUrl: `${relay.origin}/${azurite.accountName}`,
        }),
        secrets: withKey(),
        remote: { trouble, aboutAll: /comp=list/ },
        setClock: async (ms) => void (clockAheadMs = ms),
        refOf: nameOf,
        put: putNamed,
        remove,
        async move(from, to) {
          await putNamed(to, await textOf(from));
          await remove(from);
        },
        async breakItem(name) {
          const text = await textOf(name);
          await putNamed(name, "frozen");
          await container.getBlobClient(nameOf(name)).setAccessTier("Archive");
          return async () => {
            await remove(name);
            await putNamed(name, text);
          };
        },
        async vanish() {
          await azurite.pause();
          return () => azurite.resume();
        },
        // A blob's name has at most 1,024 characters.
        names: { longest: [longPath(1024 - "team/".length), longPath(1024 - "team/".length, "mixed")] },
        close: async () => {},
      };
    },
    "http",
  );

  it("pages through more blobs than one listing holds, in a second run without reading any", async () => {
    const container = await createContainer();
    for (let start = 0; start < 1100; start += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => put(container, `${start + index}.txt`, `${start + index}`)),
      );
    }
    const config = configOf({ container: container.containerName });
    const target = await sync(new MemoryTarget(), config);
    expect(target.documents.size).toBe(1100);
    expect(target.changes.filter((change) => change.type === "checkpoint").length).toBe(3);
    await sync(target, config);
    expect(target.opened).toEqual([]);
  });

  it("reads a blob whose name ends in a slash, where it is no folder's marker", async () => {
    const container = await createContainer();
    await put(container, "plans/", "");
    await put(container, "notes/", "Minutes.");
    const target = await sync(new MemoryTarget(), configOf({ container: container.containerName }));
    expect(target.contents()).toEqual({ "notes%2F": "Minutes." });
  });

  it("fails one blob that is deleted or replaced between listing and reading", async () => {
    const container = await createContainer();
    for (const name of ["a.txt", "b.txt"]) await put(container, name, name);
    const config = configOf({ container: container.containerName });
    const known = new MemoryTarget().known();
    const read = azureBlobConnector.read({ config, secrets: withKey(), cursor: null, known, context });
    for await (const change of read) {
      if (change.type !== "upsert") continue;
      if (change.item.ref === "a.txt") await container.deleteBlob("a.txt");
      else await put(container, "b.txt", "other words");
      await expect(change.content.open(context.signal)).rejects.toMatchObject({ code: "SOURCE_NOT_FOUND" });
    }
  });

  it("says in check() what it holds under the prefix", async () => {
    const container = await createContainer();
    const config = configOf({ container: container.containerName, prefix: "a/" });
    const summary = async () => (await azureBlobConnector.check(config, withKey(), context)).summary;
    const place = `"a/" in container "${container.containerName}"`;
    expect(await summary()).toBe(`${place} can be read and holds no blob to read.`);
    for (const name of ["a/1.md", "b/2.md"]) await put(container, name, "text");
    expect(await summary()).toBe(`${place} can be read and holds 1 blob: a/1.md.`);
  });

  it("reads with a SAS token and with either kind of connection string, and names no token in an address", async () => {
    const container = await createContainer();
    await put(container, "a b/ü#1.md", "text");
    const config = configOf({ container: container.containerName });
    const sas = sasOf(container, "rl");
    const named = configOf({ container: container.containerName, accountUrl: null });
    const endpoint = `BlobEndpoint=${azurite.accountUrl}`;
    const account = `AccountName=${azurite.accountName};AccountKey=${azurite.accountKey}`;
    for (const [each, secrets] of [
      [config, { sasToken: `?${sas}` }],
      [named, { connectionString: `DefaultEndpointsProtocol=http;${account};${endpoint};` }],
      [named, { connectionString: `${endpoint};SharedAccessSignature=${sas}` }],
    ] as const) {
      const target = await sync(new MemoryTarget(), each, secrets);
      expect(target.contents()).toEqual({ "a b/ü#1.md": "text" });
      const uri = target.documents.get("a b/ü#1.md")?.item.uri;
      expect(uri).toBe(`${azurite.accountUrl}/${container.containerName}/a%20b/%C3%BC%231.md`);
    }
  });

  it("tells credentials that are refused from ones that lack a permission, and never repeats one", async () => {
    const container = await createContainer();
    await put(container, "a.txt", "a");
    const config = configOf({ container: container.containerName });
    const wrongKey = Buffer.from("very-secret-value").toString("base64");
    const expired = sasOf(container, "rl", new Date(1_000_000));
    const onlyList = sasOf(container, "l");
    for (const [secrets, code] of [
      [{ accountKey: wrongKey }, "SOURCE_CREDENTIALS"],
      [{ sasToken: expired }, "SOURCE_CREDENTIALS"],
      [{ sasToken: sasOf(container, "r") }, "SOURCE_FORBIDDEN"],
    ] as const) {
      const error = await errorOf(config, secrets);
      expect(error).toMatchObject({ code });
      const shown = JSON.stringify(error, Object.getOwnPropertyNames(error));
      for (const secret of [wrongKey, "very-secret-value", new URLSearchParams(expired).get("sig")!, "sig="]) {
        expect(shown).not.toContain(secret);
      }
    }
    const check = await azureBlobConnector.check(config, { sasToken: onlyList }, context);
    expect(check.error?.code).toBe("SOURCE_FORBIDDEN");
    expect(check.error?.action).toContain("sp=rl");
  });

  it("names what is wrong: no container, no account, nobody there, an address inside one's own network", async () => {
    const codeOf = async (config: Partial<AzureBlobConfig>, secrets: AzureBlobSecrets = withKey()) =>
      (await azureBlobConnector.check(configOf(config), secrets, context)).error?.code;
    expect(await codeOf({ container: "missing" })).toBe("SOURCE_NOT_FOUND");
    expect(await codeOf({ accountUrl: null })).toBe("INVALID_INPUT");
    expect(await codeOf({ accountUrl: null }, { connectionString: "very-secret-value" })).toBe("INVALID_INPUT");
    expect(await codeOf({}, { connectionString: "UseDevelopmentStorage=true" })).toBe("INVALID_INPUT");
    expect(await codeOf({ accountUrl: "http://127.0.0.1:9/account" })).toBe("SOURCE_UNREACHABLE");
    expect(await codeOf({ accountUrl: "http://nowhere.invalid" })).toBe("SOURCE_UNREACHABLE");
    expect(await codeOf({ accountUrl: "http://169.254.169.254" })).toBe("SOURCE_FORBIDDEN");
    expect(await codeOf({ accountUrl: "http://localhost:9", allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
    expect(await codeOf({ allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
    const development = { connectionString: "UseDevelopmentStorage=true" };
    expect(await codeOf({ accountUrl: null, allowPrivateHosts: false }, development)).toBe("SOURCE_FORBIDDEN");
  });

  it("follows no redirect to another host", async () => {
    let asked = 0;
    const other = createServer((_, response) => {
      asked += 1;
      response.end("<EnumerationResults><Blobs/></EnumerationResults>");
    });
    const server = createServer((_, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${portOf(other)}/` }).end();
    });
    for (const each of [other, server]) await once(each.listen(0, "127.0.0.1"), "listening");
    try {
      const error = await errorOf(configOf({ accountUrl: `http://127.0.0.1:${portOf(server)}/account` }));
      expect(reportOf(error)).toMatchObject({ code: "SOURCE_UNREACHABLE", details: { status: 307 } });
      expect(asked).toBe(0);
    } finally {
      for (const each of [other, server]) {
        each.closeAllConnections();
        each.close();
      }
    }
  });

  it("refuses an account address that carries a token, which would be stored in clear", () => {
    const { success, error } = azureBlobConfigSchema.safeParse({
      container: "documents",
      accountUrl: "https://account.blob.core.windows.net/?sv=2024-08-04&sig=very-secret-value",
    });
    expect(success).toBe(false);
    expect(JSON.stringify(error)).not.toContain("very-secret-value");
  });

  it("refuses a token that opens one blob only", async () => {
    const container = await createContainer();
    await put(container, "a.txt", "a");
    const config = configOf({ container: container.containerName });
    const single = generateBlobSASQueryParameters(
      {
        containerName: container.containerName,
        blobName: "a.txt",
        permissions: BlobSASPermissions.parse("r"),
        expiresOn: new Date(Date.now() + 3_600_000),
      },
      credential,
    ).toString();
    expect(await errorOf(config, { sasToken: single })).toMatchObject({
      code: expect.stringMatching(/SOURCE_(FORBIDDEN|CREDENTIALS)/),
    });
  });
});

function refusalOf(status: number, code: string, message: string, headers: Record<string, string> = {}) {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, headers: { "x-ms-error-code": code, ...headers }, body };
}

/** A listing as a server would give it whose clock was so far ahead when each blob was written. */
function shiftTimes(xml: string, aheadMs: ReadonlyMap<string, number>): string {
  return xml.replace(/<Blob>.*?<\/Blob>/gs, (blob) => {
    const name = /<Name[^>]*>(.*?)<\/Name>/s.exec(blob)?.[1]?.replaceAll("&amp;", "&") ?? "";
    return blob.replace(/(?<=<Last-Modified>)[^<]*/, (time) =>
      new Date(Date.parse(time) + (aheadMs.get(name) ?? 0)).toUTCString(),
    );
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

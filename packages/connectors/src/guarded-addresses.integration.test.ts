import { generateKeyPairSync } from "node:crypto";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { testContext } from "../conformance/test-context.ts";
import { microsoftSecretSchema, onedriveConfigSchema, sharepointConfigSchema } from "./microsoft/config.ts";
import { createGraph } from "./microsoft/graph-client.ts";
import { createSiteClient } from "./microsoft/site-groups.ts";
import { connectors, requireConnector } from "./registry.ts";

type Place = { host: string; port: number; url: string };
type Settings = { config: Record<string, unknown>; secrets?: Record<string, unknown> };

const uuid = "11111111-2222-4333-8444-555555555555";
const serviceAccountKey = JSON.stringify({
  type: "service_account",
  client_email: "reader@project.iam.gserviceaccount.com",
  client_id: "42",
  private_key_id: "key-1",
  private_key: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }),
});

const onServer =
  (more: Record<string, unknown>) =>
  ({ host, port }: Place): Settings => ({
    config: { host, port, user: "reader", ...more },
    secrets: { password: "p" },
  });
const tables = { database: "shop", tables: [{ name: "orders" }] };
const tenant = { tenantId: uuid, clientId: uuid };
const microsoft = (more: Record<string, unknown>) => {
  const settings = (address: object): Settings => ({
    config: { ...tenant, ...more, ...address },
    secrets: { clientSecret: "s" },
  });
  return {
    authorityUrl: ({ url }: Place) => settings({ authorityUrl: url }),
    graphUrl: ({ url }: Place) => settings({ graphUrl: url }),
  };
};
const atlassian = (kind: string) => ({
  url: ({ url }: Place): Settings => ({ config: { url, auth: "bearer" }, secrets: { token: "t" } }),
  authorityUrl: ({ url }: Place): Settings => ({
    config: {
      url: `https://api.atlassian.com/ex/${kind}/${uuid}`,
      auth: "service-account",
      clientId: "c",
      authorityUrl: url,
    },
    secrets: { clientSecret: "s" },
  }),
});
const api = (more: Record<string, unknown>) => ({
  url: ({ url }: Place): Settings => ({ config: { url, id: "id", ...more } }),
  tokenUrl: ({ url }: Place): Settings => ({
    config: { url: "https://api.example.com", id: "id", ...more, signIn: "oauth2", tokenUrl: url, user: "u" },
    secrets: { clientSecret: "s" },
  }),
});

/** By kind and field, settings of which this field alone leads somewhere. */
const cases: Record<string, Record<string, (place: Place) => Settings>> = {
  "azure-blob": {
    accountUrl: ({ url }) => ({ config: { container: "c", accountUrl: url }, secrets: { sasToken: "sig=s" } }),
    connectionString: ({ url }) => ({
      config: { container: "c" },
      secrets: { connectionString: `BlobEndpoint=${url}/account;SharedAccessSignature=sig=s` },
    }),
  },
  confluence: atlassian("confluence"),
  file: {},
  gcs: { endpoint: ({ url }) => ({ config: { bucket: "b", endpoint: url } }) },
  gdrive: { endpoint: ({ url }) => ({ config: { endpoint: url }, secrets: { serviceAccountKey } }) },
  graphql: api({ query: ["{ items { id } }"], items: "items" }),
  imap: {
    host: onServer({ tls: "none" }),
    authorityUrl: ({ url }) => ({
      config: {
        ...tenant,
        host: "outlook.office365.com",
        user: "ann@example.com",
        authentication: "microsoft-application",
        authorityUrl: url,
      },
      secrets: { clientSecret: "s" },
    }),
  },
  jira: atlassian("jira"),
  mongodb: { host: onServer({ database: "shop", collections: [{ name: "orders" }] }) },
  mssql: { host: onServer(tables) },
  mysql: { host: onServer(tables) },
  notion: { apiUrl: ({ url }) => ({ config: { apiUrl: url }, secrets: { token: "t" } }) },
  onedrive: microsoft({ users: ["ann@example.com"] }),
  postgres: { host: onServer(tables) },
  rest: api({}),
  s3: {
    endpoint: ({ url }) => ({
      config: { bucket: "b", endpoint: url },
      secrets: { accessKeyId: "a", secretAccessKey: "s" },
    }),
  },
  sharepoint: microsoft({ siteUrl: "https://contoso.sharepoint.com/sites/a" }),
  sftp: { host: onServer({}) },
  slack: { apiUrl: ({ url }) => ({ config: { apiUrl: url }, secrets: { botToken: "xoxb-1" } }) },
  smb: { host: onServer({ share: "documents" }) },
  teams: microsoft({ teams: [uuid] }),
  web: { url: ({ url }) => ({ config: { url } }) },
};

/** Fields that a check comes to only behind another address, which would have to answer. */
const askedLater = new Set([
  // By a client of its own: below.
  "sharepoint.siteUrl",
  // Goes the way of `host`: `openSmb`.
  "smb.accountsHost",
  // Go through the one client that `url` goes through.
  "web.seeds",
  "web.feeds",
  "web.sitemaps",
]);

const isAddress = (name: string, schema: { format?: string }) =>
  schema.format === "uri" || /(host|url|endpoint|server|address)$/i.test(name);

type JsonSchema = {
  type?: string;
  format?: string;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
};

/** Names of all settings that say where a source is. */
function* addressesOf(schema: JsonSchema, path = ""): Iterable<string> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield* addressesOf(field, path === "" ? name : `${path}.${name}`);
  }
  for (const each of [...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])]) yield* addressesOf(each, path);
  if (schema.type === "string" && isAddress(path.split(".").at(-1)!, schema)) yield path;
}

let server: Server;
let reached = 0;
beforeAll(async () => {
  server = createServer((socket) => {
    reached += 1;
    socket.destroy();
  });
  await new Promise<void>((listening) => server.listen(0, "localhost", listening));
});
afterAll(() => server.close());
beforeEach(() => {
  reached = 0;
});

const placeAt = (host: string): Place => {
  const { port } = server.address() as AddressInfo;
  return { host, port, url: `http://${host}:${port}` };
};

const asked = Object.entries(cases).flatMap(([kind, fields]) =>
  Object.entries(fields).map(([field, settingsAt]) => [kind, field, settingsAt] as const),
);

describe("an address of a source", () => {
  it("has a case here in every kind", () => {
    const known = (kind: string) => [
      ...Object.keys(cases[kind] ?? {}).map((field) => `${kind}.${field}`),
      ...[...askedLater].filter((field) => field.startsWith(`${kind}.`)),
    ];
    for (const { kind, configSchema, secretSchema } of connectors) {
      expect(Object.keys(cases), "every kind").toContain(kind);
      const toSchema = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
      for (const schema of [configSchema, secretSchema]) {
        for (const field of addressesOf(toSchema(schema) as JsonSchema))
          expect(known(kind)).toContain(`${kind}.${field}`);
      }
    }
  });

  const check = async (kind: string, { config, secrets = {} }: Settings, allowPrivateHosts: boolean) => {
    const connector = requireConnector(kind);
    const { error } = await connector.check(
      connector.configSchema.parse({ ...config, allowPrivateHosts }),
      connector.secretSchema.parse(secrets),
      testContext(),
    );
    return error;
  };

  it.each(asked)("is refused before anything is sent there: %s, %s", async (kind, field, settingsAt) => {
    const guarded = { code: "SOURCE_FORBIDDEN", message: expect.stringContaining("no source may use it") };
    const metadata = settingsAt({ host: "169.254.169.254", port: 80, url: "http://169.254.169.254" });
    for (const allowed of [false, true]) expect(await check(kind, metadata, allowed)).toMatchObject(guarded);

    const refused = { code: "SOURCE_FORBIDDEN", message: expect.stringContaining("private or reserved") };
    for (const host of ["127.0.0.1", "localhost"]) {
      // A name is judged when it is resolved, which comes after the sign-in: below.
      if (field === "graphUrl" && host === "localhost") continue;
      expect(await check(kind, settingsAt(placeAt(host)), false), host).toMatchObject(refused);
    }
    expect(reached).toBe(0);
  });
});

describe("an address that is asked behind another one", () => {
  it.each([
    ["http://169.254.169.254/sites/a", true],
    ["https://127.0.0.1/sites/a", false],
  ])("is refused before a token is asked for it: SharePoint at %s", async (siteUrl, allowPrivateHosts) => {
    const config = sharepointConfigSchema.parse({
      ...tenant,
      siteUrl: "https://contoso.sharepoint.com/sites/a",
      authorityUrl: placeAt("127.0.0.1").url,
      allowPrivateHosts,
    });
    const secrets = microsoftSecretSchema.parse({ clientSecret: "s" });
    const client = createSiteClient(config, secrets, siteUrl, testContext());
    await expect(client.json("_api/web", z.unknown())).rejects.toMatchObject({ code: "SOURCE_FORBIDDEN" });
    await client.close();
    expect(reached).toBe(0);
  });

  it("is refused though a token was had for it: a name of Graph's that leads to this machine", async () => {
    const config = onedriveConfigSchema.parse({
      ...tenant,
      users: ["ann@example.com"],
      graphUrl: placeAt("localhost").url,
    });
    const secrets = microsoftSecretSchema.parse({ clientSecret: "s" });
    let signIns = 0;
    const signIn = () => ({
      async token() {
        signIns += 1;
        return { value: "t", lifetimeMs: 60_000 };
      },
      close: async () => undefined,
    });
    const graph = createGraph(config, secrets, testContext(), signIn);
    await expect(graph.json("me", z.unknown())).rejects.toMatchObject({
      code: "SOURCE_FORBIDDEN",
      message: expect.stringContaining("private or reserved") as string,
    });
    await graph.close();
    expect({ signIns, reached }).toEqual({ signIns: 1, reached: 0 });
  });
});

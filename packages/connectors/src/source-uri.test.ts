import { describe, expect, it } from "vitest";
import { isAnnealError } from "@anneal/core/errors";
import { connectors, requireConnector } from "./registry.ts";
import { parseSourceUri, type SourceUriOptions } from "./source-uri.ts";

/** As the product uses it: the address, then the connector's own schemas. */
function parse(uri: string, options: SourceUriOptions = {}) {
  const { kind, name, config, secrets } = parseSourceUri(uri, options);
  const connector = requireConnector(kind);
  return { kind, name, config: connector.configSchema.parse(config), secrets: connector.secretSchema.parse(secrets) };
}

describe("parseSourceUri", () => {
  it("reads folders as addresses, absolute paths and paths from where the person stands", () => {
    expect(parse("file:///data/gr%C3%B6%C3%9Fe").config).toMatchObject({ path: "/data/größe" });
    expect(parse("/data/a b").config).toMatchObject({ path: "/data/a b" });
    expect(parse("docs", { baseDir: "/home/ada" }).config).toMatchObject({ path: "/home/ada/docs" });
    expect(parse("./docs/../more", { baseDir: "/home/ada" }).name).toBe("/home/ada/more");
  });

  it("reads a bucket, with the endpoint and keys from beside it", () => {
    const options = { s3Endpoint: "http://127.0.0.1:9000", s3AccessKeyId: "id", s3SecretAccessKey: "secret" };
    const source = parse("s3://Team.docs/a/b%20c/", options);
    expect(source.name).toBe("s3://Team.docs/a/b c/");
    expect(source.config).toMatchObject({ bucket: "Team.docs", prefix: "a/b c/", pathStyle: true });
    expect(source.secrets).toEqual({ accessKeyId: "id", secretAccessKey: "secret" });
    expect(parse("s3://bucket").config).toMatchObject({ prefix: "", endpoint: null, pathStyle: false });
  });

  it("lets a bucket's server stand in the own network where its address says so, or the option does", () => {
    const allowed = (options: SourceUriOptions) => parse("s3://bucket", options).config["allowPrivateHosts"];
    expect(allowed({})).toBe(false);
    expect(allowed({ s3Endpoint: "http://minio:9000" })).toBe(false);
    expect(allowed({ s3Endpoint: "http://minio:9000", allowPrivateHosts: true })).toBe(true);
    for (const s3Endpoint of ["http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost:9000"]) {
      expect(allowed({ s3Endpoint }), s3Endpoint).toBe(true);
    }
  });

  it("takes the password out of a database's address", () => {
    const source = parse(
      "postgres://ada:p%40ss@db.example:5433/shop?tables=a,sales.b&watermark=updated_at&sslmode=require",
    );
    expect(source.secrets).toEqual({ password: "p@ss" });
    expect(JSON.stringify([source.name, source.config])).not.toContain("p@ss");
    expect(source.name).toBe("postgres://db.example:5433/shop (a,sales.b)");
    expect(source.config).toMatchObject({ user: "ada", port: 5433, database: "shop", tls: "require" });
    expect(source.config["tables"]).toMatchObject([
      { name: "a", watermark: "updated_at" },
      { name: "sales.b", watermark: "updated_at" },
    ]);
  });

  it("names two queries of one database differently", () => {
    const one = parse("postgres://h/d?query=SELECT%20*%20FROM%20a&key=x,y&title=t");
    const other = parse("postgresql://h/d?query=SELECT%20*%20FROM%20b");
    expect(one.name).not.toBe(other.name);
    expect(one.config["queries"]).toMatchObject([{ sql: "SELECT * FROM a", key: ["x", "y"], title: "t" }]);
  });

  it("reads every other database as it reads PostgreSQL's, each with its own port and without the password", () => {
    for (const [uri, kind, port] of [
      ["mysql://ada:p%40ss@db.example/shop?tables=a&owner=o&people=SELECT%20id,%20email%20FROM%20p", "mysql", 3306],
      ["mariadb://ada:p%40ss@db.example/shop?tables=a&owner=o&people=SELECT%20id,%20email%20FROM%20p", "mysql", 3306],
      ["mssql://ada:p%40ss@db.example/shop?tables=a&owner=o&people=SELECT%20id,%20email%20FROM%20p", "mssql", 1433],
    ] as const) {
      const source = parse(uri);
      expect(source.kind).toBe(kind);
      expect(source.name).toBe(`${kind}://db.example/shop (a)`);
      expect(source.secrets).toEqual({ password: "p@ss" });
      expect(JSON.stringify([source.name, source.config])).not.toContain("p@ss");
      expect(source.config).toMatchObject({ user: "ada", port, database: "shop", allowWritableUser: false });
      expect(source.config).toMatchObject({
        tables: [{ name: "a", owner: "o" }],
        peopleQuery: "SELECT id, email FROM p",
      });
    }
    expect(parse("mysql://h/d?writable=accept").config).toMatchObject({ allowWritableUser: true });
  });

  it("reads collections of a MongoDB, with the options that its own addresses have", () => {
    const source = parse(
      "mongodb://ada:p%40ss@db.example/shop?collections=a,b&fields=x,y.z&watermark=at&authSource=shop&tls=true&people=users",
    );
    expect(source.name).toBe("mongodb://db.example/shop (a,b)");
    expect(source.secrets).toEqual({ password: "p@ss" });
    expect(source.config).toMatchObject({ host: "db.example", port: 27_017, authDatabase: "shop", tls: "verify" });
    expect(source.config).toMatchObject({
      collections: [
        { name: "a", fields: ["x", "y.z"], watermark: "at" },
        { name: "b", fields: ["x", "y.z"], watermark: "at" },
      ],
      peopleCollection: "users",
    });
  });

  it("opens private hosts only where the person typed one, or said so", () => {
    expect(parse("https://example.org/docs").config).toMatchObject({ allowPrivateHosts: false });
    expect(parse("http://127.0.0.1:8080").config).toMatchObject({ allowPrivateHosts: true });
    expect(parse("http://[::1]:8080").config).toMatchObject({ allowPrivateHosts: true });
    expect(parse("http://wiki.corp", { allowPrivateHosts: true }).config).toMatchObject({ allowPrivateHosts: true });
    for (const kind of ["postgres", "mysql", "mssql", "mongodb"]) {
      expect(parse(`${kind}://db.example/shop`).config).toMatchObject({ allowPrivateHosts: false });
      expect(parse(`${kind}://10.0.0.7/shop`).config).toMatchObject({ allowPrivateHosts: true });
      const said = parse(`${kind}://db.corp/shop`, { allowPrivateHosts: true });
      expect(said.config).toMatchObject({ allowPrivateHosts: true });
    }
  });

  it.each([
    "",
    "relative/path",
    "ftp://user:hunter2@host/x",
    "postgres://ada:hunter2@host",
    "mysql://ada:hunter2@host",
    "mongodb://ada:hunter2@host/",
    "mongodb://ada:hunter2@one,two/db",
    "postgres://ada:hunter2@host:port/db",
    "https://ada:hunter2@host/",
    "file://server/share",
    "file:///%zz",
    "s3://",
  ])("refuses %j in one sentence without its password", (uri) => {
    try {
      parseSourceUri(uri);
    } catch (error) {
      expect(isAnnealError(error) && error.code).toBe("INVALID_INPUT");
      expect(String(error)).not.toContain("hunter2");
      return;
    }
    expect.unreachable();
  });

  it("has a schema for every connector that a form can be drawn from", async () => {
    const { z } = await import("zod");
    for (const { configSchema, secretSchema } of connectors) {
      const { properties } = z.toJSONSchema(configSchema, { io: "input" });
      for (const property of Object.values(properties ?? {})) expect(property).toHaveProperty("title");
      expect(z.toJSONSchema(secretSchema, { io: "input" }).type).toBe("object");
    }
  });
});

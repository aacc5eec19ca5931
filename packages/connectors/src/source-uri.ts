import { hash } from "node:crypto";
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AnnealError } from "@anneal/core/errors";
import { isPrivateHost } from "./host-guard.ts";

/** What an address alone does not say. */
export type SourceUriOptions = {
  s3Endpoint?: string;
  s3Region?: string;
  s3AccessKeyId?: string;
  s3SecretAccessKey?: string;
  s3SessionToken?: string;
  allowPrivateHosts?: boolean;
  /** For relative folders; the caller's working directory. */
  baseDir?: string;
};

/** `config` and `secrets` are the input of the connector's own schemas; `name` can be shown: it holds no secret. */
export type ParsedSourceUri = {
  kind: "file" | "s3" | "postgres" | "mysql" | "mssql" | "mongodb" | "web";
  name: string;
  config: Record<string, unknown>;
  secrets: Record<string, string>;
};

/**
 * Reads `file:///dir` or a path, `s3://bucket/prefix`, `https://site/` and
 * `postgres://user:password@host/db?tables=a,b` or `?query=SELECT …`, where `key=a,b`, `title=`, `watermark=` and
 * `owner=` name columns, `people=SELECT …` gives the owners' addresses and `sslmode=` says how to encrypt;
 * `mysql://` and `mssql://` likewise. `mongodb://user:password@host/db?collections=a,b&fields=x,y` with `title=`,
 * `watermark=`, `owner=`, `people=collection`, `authSource=` and `tls=`. `writable=accept` confirms a user that can write.
 *
 * @throws AnnealError INVALID_INPUT that does not repeat a password
 */
export function parseSourceUri(uri: string, options: SourceUriOptions = {}): ParsedSourceUri {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(uri)) return folder(uri, options);
  const url = URL.parse(uri);
  switch (url?.protocol) {
    case "file:":
      return folder(
        orUnreadable(uri, () => fileURLToPath(url)),
        options,
      );
    case "s3:":
      return bucket(url, options);
    case "postgres:":
    case "postgresql:":
      return database(url, "postgres", "postgres", options);
    case "mysql:":
    case "mariadb:":
      return database(url, "mysql", "root", options);
    case "mssql:":
    case "sqlserver:":
      return database(url, "mssql", "sa", options);
    case "mongodb:":
      return documentDatabase(url, options);
    case "http:":
    case "https:":
      return website(url, options);
    default:
      throw unreadable(uri);
  }
}

function folder(path: string, { baseDir }: SourceUriOptions): ParsedSourceUri {
  if (path === "" || (!isAbsolute(path) && baseDir === undefined)) throw unreadable(path);
  const absolute = resolve(baseDir ?? "/", path);
  return { kind: "file", name: absolute, config: { path: absolute }, secrets: {} };
}

function bucket(url: URL, options: SourceUriOptions): ParsedSourceUri {
  const prefix = decode(url, url.pathname.slice(1));
  if (url.hostname === "") throw unreadable(url.href);
  const { s3Endpoint = "" } = options;
  return {
    kind: "s3",
    name: `s3://${url.hostname}/${prefix}`,
    config: {
      bucket: url.hostname,
      prefix,
      ...(s3Endpoint ? { endpoint: s3Endpoint, pathStyle: true } : {}),
      ...(isMeantPrivate(URL.parse(s3Endpoint), options) ? { allowPrivateHosts: true } : {}),
      ...(options.s3Region ? { region: options.s3Region } : {}),
    },
    secrets: {
      ...(options.s3AccessKeyId ? { accessKeyId: options.s3AccessKeyId } : {}),
      ...(options.s3SecretAccessKey ? { secretAccessKey: options.s3SecretAccessKey } : {}),
      ...(options.s3SessionToken ? { sessionToken: options.s3SessionToken } : {}),
    },
  };
}

const tlsOfSslMode: Record<string, string> = {
  disable: "disable",
  prefer: "prefer",
  require: "require",
  "verify-ca": "verify",
  "verify-full": "verify",
};

function database(
  url: URL,
  kind: "postgres" | "mysql" | "mssql",
  defaultUser: string,
  options: SourceUriOptions,
): ParsedSourceUri {
  const { database, parameter } = readDatabaseUrl(url);
  const tables = listOf(parameter("tables"));
  const query = parameter("query");
  const people = parameter("people");
  const columns = {
    ...(parameter("key") ? { key: listOf(parameter("key")) } : {}),
    ...readRoles(parameter),
  };
  // Two queries on one database are two sources, so the name tells them apart.
  const what = query === undefined ? tables.join(",") || "all tables" : `query ${hash("sha256", query).slice(0, 8)}`;
  return {
    kind,
    name: `${kind}://${url.host}/${database} (${what})`,
    config: {
      ...readPlace(url, database, defaultUser, parameter, options),
      tables: tables.map((table) => ({ name: table, ...columns })),
      queries: query === undefined ? [] : [{ name: "query", sql: query, ...columns }],
      ...(people === undefined ? {} : { peopleQuery: people }),
    },
    secrets: url.password === "" ? {} : { password: decode(url, url.password) },
  };
}

function documentDatabase(url: URL, options: SourceUriOptions): ParsedSourceUri {
  const { database, parameter } = readDatabaseUrl(url);
  const collections = listOf(parameter("collections"));
  const people = parameter("people");
  const fields = { fields: listOf(parameter("fields")), ...readRoles(parameter) };
  const authDatabase = parameter("authSource");
  const tls = parameter("tls") ?? parameter("ssl");
  return {
    kind: "mongodb",
    name: `mongodb://${url.host}/${database} (${collections.join(",") || "all collections"})`,
    config: {
      ...readPlace(url, database, "anneal_reader", parameter, options),
      ...(authDatabase === undefined ? {} : { authDatabase }),
      // As MongoDB's own addresses mean it: true checks the certificate.
      ...(tls === "true" ? { tls: "verify" } : tls === "false" ? { tls: "disable" } : {}),
      collections: collections.map((name) => ({ name, ...fields })),
      ...(people === undefined ? {} : { peopleCollection: people }),
    },
    secrets: url.password === "" ? {} : { password: decode(url, url.password) },
  };
}

type Parameter = (name: string) => string | undefined;

function readDatabaseUrl(url: URL): { database: string; parameter: Parameter } {
  const database = decode(url, url.pathname.slice(1));
  // Several hosts, as addresses of MongoDB may have, would be tried in turn; one is asked here.
  if (url.hostname === "" || url.hostname.includes(",") || database === "") throw unreadable(url.href);
  return { database, parameter: (name) => url.searchParams.get(name) || undefined };
}

function readPlace(
  url: URL,
  database: string,
  defaultUser: string,
  parameter: Parameter,
  options: SourceUriOptions,
): Record<string, unknown> {
  const tls = tlsOfSslMode[parameter("sslmode") ?? ""];
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    ...(url.port ? { port: Number(url.port) } : {}),
    database,
    user: decode(url, url.username) || defaultUser,
    ...(tls === undefined ? {} : { tls }),
    ...(isMeantPrivate(url, options) ? { allowPrivateHosts: true } : {}),
    ...(parameter("writable") === "accept" ? { allowWritableUser: true } : {}),
  };
}

function readRoles(parameter: Parameter): Record<string, string> {
  const roles = ["title", "watermark", "owner"].map((role) => [role, parameter(role)] as const);
  return Object.fromEntries(roles.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function website(url: URL, options: SourceUriOptions): ParsedSourceUri {
  if (url.username !== "" || url.password !== "") {
    throw new AnnealError(
      "INVALID_INPUT",
      `${withoutPassword(url.href)} carries a sign-in, which a crawl cannot use.`,
      {
        action: "Leave out the user and the password.",
      },
    );
  }
  return {
    kind: "web",
    name: url.href,
    config: { url: url.href, ...(isMeantPrivate(url, options) ? { allowPrivateHosts: true } : {}) },
    secrets: {},
  };
}

/** Whoever types a private address means it; a public name that leads to one still needs the option. */
function isMeantPrivate(url: URL | null, { allowPrivateHosts }: SourceUriOptions): boolean {
  return url !== null && (allowPrivateHosts === true || isPrivateHost(url.hostname));
}

function listOf(value: string | undefined): string[] {
  return (value ?? "").split(",").flatMap((part) => part.trim() || []);
}

function decode(url: URL, text: string): string {
  return orUnreadable(url.href, () => decodeURIComponent(text));
}

function orUnreadable<T>(uri: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw unreadable(uri);
  }
}

function withoutPassword(uri: string): string {
  return uri.replace(/\/\/[^/?#]*@/, "//");
}

function unreadable(uri: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `"${withoutPassword(uri)}" is not a source that can be read.`, {
    action:
      "Use file:///folder, s3://bucket/prefix, postgres:// (or mysql://, mssql://) user:password@host/database?tables=a,b, mongodb://user:password@host/database?collections=a,b or https://site/.",
  });
}

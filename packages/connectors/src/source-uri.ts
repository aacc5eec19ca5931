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
  kind: "file" | "s3" | "postgres" | "web";
  name: string;
  config: Record<string, unknown>;
  secrets: Record<string, string>;
};

/**
 * Reads `file:///dir` or a path, `s3://bucket/prefix`, `https://site/` and
 * `postgres://user:password@host/db?tables=a,b` or `?query=SELECT …`, where `key=a,b`, `title=`, `watermark=` and
 * `owner=` name columns and `sslmode=` says how to encrypt.
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
      return database(url);
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
  return {
    kind: "s3",
    name: `s3://${url.hostname}/${prefix}`,
    config: {
      bucket: url.hostname,
      prefix,
      ...(options.s3Endpoint ? { endpoint: options.s3Endpoint, pathStyle: true } : {}),
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

function database(url: URL): ParsedSourceUri {
  const database = decode(url, url.pathname.slice(1));
  if (url.hostname === "" || database === "") throw unreadable(url.href);
  const parameter = (name: string) => url.searchParams.get(name) || undefined;
  const tables = listOf(parameter("tables"));
  const query = parameter("query");
  const columns = {
    ...(parameter("key") ? { key: listOf(parameter("key")) } : {}),
    ...(parameter("title") ? { title: parameter("title") } : {}),
    ...(parameter("watermark") ? { watermark: parameter("watermark") } : {}),
    ...(parameter("owner") ? { owner: parameter("owner") } : {}),
  };
  const tls = tlsOfSslMode[parameter("sslmode") ?? ""];
  // Two queries on one database are two sources, so the name tells them apart.
  const what = query === undefined ? tables.join(",") || "all tables" : `query ${hash("sha256", query).slice(0, 8)}`;
  return {
    kind: "postgres",
    name: `postgres://${url.host}/${database} (${what})`,
    config: {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      ...(url.port ? { port: Number(url.port) } : {}),
      database,
      user: decode(url, url.username) || "postgres",
      ...(tls === undefined ? {} : { tls }),
      tables: tables.map((table) => ({ name: table, ...columns })),
      queries: query === undefined ? [] : [{ name: "query", sql: query, ...columns }],
    },
    secrets: url.password === "" ? {} : { password: decode(url, url.password) },
  };
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
  // Whoever types a private address means it; a public name that leads to one still needs the option.
  const allowPrivateHosts = options.allowPrivateHosts === true || isPrivateHost(url.hostname);
  return {
    kind: "web",
    name: url.href,
    config: { url: url.href, ...(allowPrivateHosts ? { allowPrivateHosts } : {}) },
    secrets: {},
  };
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
      "Use file:///folder, s3://bucket/prefix, postgres://user:password@host/database?tables=a,b or https://site/.",
  });
}

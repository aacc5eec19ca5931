import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { refuseSigned, RemoteTrouble, type Refusal } from "../remote-trouble.ts";
import { answerDrive, type Answer } from "./drive-routes.ts";
import { FakeBuckets } from "./fake-buckets.ts";
import { FakeDirectory } from "./fake-directory.ts";
import { FakeDrive } from "./fake-drive.ts";
import { FakeTokens } from "./fake-tokens.ts";
import { selectFields } from "./select-fields.ts";

const driveScope = "https://www.googleapis.com/auth/drive.readonly";
const storageScope = "https://www.googleapis.com/auth/devstorage.read_only";
const userScope = "https://www.googleapis.com/auth/admin.directory.user.readonly";
const groupScope = "https://www.googleapis.com/auth/admin.directory.group.readonly";

export type FakeGoogle = {
  endpoint: string;
  drive: FakeDrive;
  directory: FakeDirectory;
  buckets: FakeBuckets;
  tokens: FakeTokens;
  /** Before every API and the token service. */
  trouble: RemoteTrouble;
  /** What the next requests to an API are answered instead, one each. */
  refuseNext: ("rateLimitExceeded" | "backendError")[];
  /** The most entries that any page holds. */
  pageSize: number;
  /** "GET /drive/v3/files" since the last look. */
  takeLog(): string[];
  /** Takes the server down; start() brings it back at the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
};

/**
 * Google as far as the connectors use it, written from the published references of OAuth 2.0, Drive API v3, the
 * Directory API and the Cloud Storage JSON API: what is not asked for by `fields` is not answered, pages are small,
 * tokens carry scopes and end, feeds' positions can grow too old.
 */
export async function startFakeGoogle(userEmail: string): Promise<FakeGoogle> {
  let server: Server | null = null;
  let port = 0;
  let log: string[] = [];

  const google: FakeGoogle = {
    endpoint: "",
    drive: new FakeDrive(userEmail),
    directory: new FakeDirectory(),
    buckets: new FakeBuckets(),
    tokens: new FakeTokens(),
    trouble: new RemoteTrouble({
      busy: (waitSeconds) => ({
        ...errorOf(429, "rateLimitExceeded", "Too many requests."),
        headers: { "retry-after": String(waitSeconds) },
      }),
      credentials: refuseSigned(errorOf(401, "authError", "Invalid Credentials")),
    }),
    refuseNext: [],
    pageSize: 2,
    takeLog() {
      const taken = log;
      log = [];
      return taken;
    },
    async start() {
      server = createServer(google.trouble.before((request, response) => void respond(request, response)));
      const listening = server;
      await new Promise<void>((resolve) => listening.listen(port, "127.0.0.1", resolve));
      port = (listening.address() as AddressInfo).port;
      google.endpoint = `http://127.0.0.1:${port}`;
    },
    async stop() {
      const closing = server;
      server = null;
      closing?.closeAllConnections();
      await new Promise<void>((resolve) => (closing ? closing.close(() => resolve()) : resolve()));
    },
  };
  google.tokens.users.add(userEmail);
  for (const scope of [driveScope, userScope, groupScope]) google.tokens.delegatedScopes.add(scope);

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", google.endpoint);
    log.push(`${request.method} ${url.pathname}`);
    if (url.pathname === "/token") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { status, json } = google.tokens.answer(Buffer.concat(chunks).toString(), `${google.endpoint}/token`);
      return sendJson(response, status, json);
    }
    request.resume();
    const refusal = google.refuseNext.shift();
    if (refusal === "rateLimitExceeded") return sendError(response, 403, refusal, "Rate Limit Exceeded");
    if (refusal === "backendError") return sendError(response, 500, refusal, "Backend Error");
    const answer = route(request, url);
    if ("json" in answer) {
      const fields = url.searchParams.get("fields");
      return sendJson(response, 200, fields === null ? answer.json : selectFields(answer.json, fields));
    }
    if ("bytes" in answer) return sendBytes(response, answer);
    const { status, reason, message, location } = answer;
    sendError(response, status, reason, message, location);
  }

  function route(request: IncomingMessage, url: URL): Answer {
    const { pathname, searchParams } = url;
    const grant = google.tokens.grantOf(request.headers.authorization);
    if (grant === null) return { status: 401, reason: "authError", message: "Invalid Credentials" };
    const needs = (...scopes: string[]): Answer | null =>
      scopes.some((scope) => grant.scopes.includes(scope))
        ? null
        : { status: 403, reason: "insufficientPermissions", message: "Insufficient Permission" };
    const [, api, version, ...rest] = pathname.split("/");
    if (api === "drive" && version === "v3") {
      return needs(driveScope) ?? answerDrive(google.drive, rest.join("/"), searchParams, google.pageSize);
    }
    if (api === "admin" && version === "directory") {
      const path = rest.slice(1).join("/");
      return (
        needs(path.startsWith("users") ? userScope : groupScope) ??
        google.directory.answer(path, searchParams, google.pageSize)
      );
    }
    if (api === "storage") {
      return needs(storageScope) ?? google.buckets.answer(rest.join("/"), searchParams, google.pageSize);
    }
    return { status: 404, reason: "notFound", message: "Not Found" };
  }

  await google.start();
  return google;
}

function sendJson(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8" });
  response.end(JSON.stringify(json));
}

function sendBytes(response: ServerResponse, { bytes, cut }: { bytes: Buffer; cut?: boolean }): void {
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.byteLength });
  if (!cut) return void response.end(bytes);
  response.write(bytes.subarray(0, Math.floor(bytes.byteLength / 2)), () => response.destroy());
}

/** "Resolve errors": one object with the code and a list of reasons. */
function errorOf(code: number, reason: string, message: string, location?: string): Refusal {
  const where = location === undefined ? {} : { locationType: "parameter", location };
  return {
    status: code,
    body: { error: { code, message, errors: [{ domain: "global", reason, message, ...where }] } },
  };
}

function sendError(response: ServerResponse, ...error: Parameters<typeof errorOf>): void {
  const { status, body } = errorOf(...error);
  sendJson(response, status, body);
}

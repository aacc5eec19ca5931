import { constants, createHash, verify, X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fail, type GraphAnswer } from "./fake-answers.ts";
import { answerGraph, answerSiteApi } from "./fake-graph.ts";
import { FakeTenant } from "./fake-tenant.ts";

/**
 * A stateful Microsoft 365 tenant behind HTTP, written from the published documentation of Microsoft Graph v1.0 ("Get a
 * drive", "driveItem: delta", "List children", "List sharing permissions on a driveItem", "Download driveItem
 * content", "publicationFacet resource type", "Listing versions of a DriveItem", "Get contents of a DriveItemVersion
 * resource", "List users", "List groups", "List group members", "Get organization", "Microsoft Graph throttling
 * guidance") and of the identity platform ("OAuth 2.0 client credentials flow", "Certificate
 * credentials", "Microsoft Entra error codes"), and of SharePoint's REST service ("Users, groups, and roles").
 * Contents are served by a second host, which must never be shown a token.
 */
export type FakeMicrosoft = {
  tenant: FakeTenant;
  graphUrl: string;
  authorityUrl: string;
  /** Every path that Graph was asked for, and whatever authorization a transfer was sent. */
  requests: string[];
  leakedTokens: string[];
  stop(): Promise<void>;
};

export async function startFakeMicrosoft(): Promise<FakeMicrosoft> {
  const tenant = new FakeTenant();
  const requests: string[] = [];
  const leakedTokens: string[] = [];
  /** How each access token was had; the first is number 1. */
  const issued: { byCertificate: boolean }[] = [];

  const transfers = await listen((request, response) => {
    if (request.headers.authorization !== undefined) leakedTokens.push(request.headers.authorization);
    const [, driveId = "", itemId = "", versionId] = (request.url ?? "").split("/").map(decodeURIComponent);
    const item = tenant.drives.get(driveId)?.items.get(itemId);
    const content = versionId === undefined ? item?.content : item?.earlier.find(({ id }) => id === versionId)?.content;
    if (content === undefined) return send(response, { status: 404 });
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": content.byteLength });
    // In two pieces, as a network would.
    response.write(content.subarray(0, 7));
    if (tenant.brokenTransfers.has(itemId)) return void setImmediate(() => response.destroy());
    response.end(content.subarray(7));
  });
  const service = await listen(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://fake.example");
    if (url.pathname.endsWith("/oauth2/v2.0/token")) {
      const form = new URLSearchParams(await readText(request));
      const address = `${service.origin}${url.pathname}`;
      return send(
        response,
        answerToken(tenant, address, form, (how) => issued.push(how)),
      );
    }
    requests.push(`${request.method} ${url.pathname}`);
    const number = Number(/^Bearer token-(\d+)$/.exec(request.headers.authorization ?? "")?.[1] ?? 0);
    const token = issued[number - 1];
    if (token === undefined || number < tenant.firstValidToken) {
      return send(response, fail(401, "InvalidAuthenticationToken"));
    }
    if (tenant.throttled > 0) {
      tenant.throttled -= 1;
      return send(response, { ...fail(429, "TooManyRequests"), headers: { "retry-after": "1" } });
    }
    if (url.pathname.startsWith("/sites/team/_api/")) {
      const skip = Number(url.searchParams.get("$skiptoken") ?? 0);
      return send(response, answerSiteApi(tenant, url.pathname, token, skip, service.origin));
    }
    const answer = answerGraph(
      tenant,
      {
        path: url.pathname.replace(/^\/v1\.0\//, ""),
        query: url.searchParams,
        prefer: String(request.headers.prefer ?? ""),
        excludesParents: request.headers.deltaexcludeparent === "true",
      },
      { origin: service.origin, transfers: transfers.origin },
    );
    send(response, answer);
  });

  return {
    tenant,
    graphUrl: `${service.origin}/v1.0`,
    authorityUrl: service.origin,
    requests,
    leakedTokens,
    async stop() {
      await Promise.all([close(service.server), close(transfers.server)]);
    },
  };
}

function answerToken(
  tenant: FakeTenant,
  address: string,
  form: URLSearchParams,
  issue: (how: { byCertificate: boolean }) => number,
): GraphAnswer {
  const refuse = (code: string) => ({
    status: 401,
    body: { error: "invalid_client", error_description: `${code}: refused. Trace ID: 0` },
  });
  if (new URL(address).pathname.split("/")[1] !== tenant.id) return refuse("AADSTS90002");
  if (form.get("client_id") !== tenant.clientId) return refuse("AADSTS700016");
  const assertion = form.get("client_assertion");
  if (assertion !== null) {
    if (!isSignedByTenantsApp(tenant, assertion, address)) return refuse("AADSTS700027");
  } else if (form.get("client_secret") !== tenant.clientSecret) return refuse("AADSTS7000215");
  if (form.get("grant_type") !== "client_credentials" || !form.get("scope")?.endsWith("/.default")) {
    return refuse("AADSTS70011");
  }
  const number = issue({ byCertificate: assertion !== null });
  return { status: 200, body: { token_type: "Bearer", expires_in: 3599, access_token: `token-${number}` } };
}

/** As "Certificate credentials" asks: PS256, the thumbprint, this address as audience, the application as issuer. */
function isSignedByTenantsApp(tenant: FakeTenant, assertion: string, address: string): boolean {
  if (tenant.certificate === null) return false;
  const certificate = new X509Certificate(tenant.certificate);
  const [head = "", body = "", signature = ""] = assertion.split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  const [header, claims] = [read(head), read(body)];
  const thumbprint = createHash("sha256").update(certificate.raw).digest("base64url");
  if (header.alg !== "PS256" || header["x5t#S256"] !== thumbprint || claims.aud !== address) return false;
  if (claims.iss !== tenant.clientId || claims.sub !== tenant.clientId) return false;
  const key = { key: certificate.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  return verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"));
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

function send(response: ServerResponse, { status, body, headers = {} }: GraphAnswer): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body === undefined ? "" : JSON.stringify(body));
}

async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): Promise<{ server: Server; origin: string }> {
  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

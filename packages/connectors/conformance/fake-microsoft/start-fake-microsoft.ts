import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { refuseSigned, RemoteTrouble } from "../remote-trouble.ts";
import { fail, type GraphAnswer } from "./fake-answers.ts";
import { FakeEntra } from "./fake-entra.ts";
import { answerGraph, answerSiteApi } from "./fake-graph.ts";
import { FakeTenant } from "./fake-tenant.ts";

/**
 * A stateful Microsoft 365 tenant behind HTTP, written from the published documentation of Microsoft Graph v1.0 ("Get a
 * drive", "driveItem: delta", "List children", "List sharing permissions on a driveItem", "Download driveItem
 * content", "publicationFacet resource type", "Listing versions of a DriveItem", "Get contents of a DriveItemVersion
 * resource", "List users", "List groups", "List group members", "Get organization", "Get a user", "Get filesFolder", "List
 * channels", "channel resource type", "List channel messages", "Get chatMessage", "chatMessagePolicyViolation resource
 * type", "List replies", "chatMessage: delta", "driveItem: createLink", "Use delta query to track changes in Microsoft
 * Graph data", "Microsoft Graph throttling guidance", "Microsoft Graph permissions reference") and of the identity platform
 * ("OAuth 2.0 client credentials flow", "OAuth 2.0 device authorization grant", "Refresh tokens", "Certificate
 * credentials", "Microsoft Entra error codes"), and of SharePoint's REST service ("Users, groups, and roles",
 * "User.AadObjectId property").
 * Contents are served by a second host, which must never be shown a token.
 */
export type FakeMicrosoft = {
  tenant: FakeTenant;
  entra: FakeEntra;
  graphUrl: string;
  authorityUrl: string;
  /** Every path that Graph was asked for, and whatever authorization a transfer was sent. */
  requests: string[];
  leakedTokens: string[];
  /** Before Graph, the token service and the transfers. */
  trouble: RemoteTrouble;
  /** The access tokens that were given out end. */
  expireTokens(): void;
  stop(): Promise<void>;
};

export async function startFakeMicrosoft(): Promise<FakeMicrosoft> {
  const tenant = new FakeTenant();
  const requests: string[] = [];
  const leakedTokens: string[] = [];
  const entra = new FakeEntra();
  const trouble = new RemoteTrouble({
    busy: (waitSeconds) => ({ ...fail(429, "TooManyRequests"), headers: { "retry-after": String(waitSeconds) } }),
    credentials: refuseSigned(fail(401, "InvalidAuthenticationToken")),
  });

  const transfers = await listen(trouble, (request, response) => {
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
  const service = await listen(trouble, async (request, response) => {
    const url = new URL(request.url ?? "/", "http://fake.example");
    const address = `${service.origin}${url.pathname}`;
    if (url.pathname.endsWith("/oauth2/v2.0/token")) {
      return send(response, entra.answerToken(tenant, address, new URLSearchParams(await readText(request))));
    }
    if (url.pathname.endsWith("/oauth2/v2.0/devicecode")) {
      return send(response, entra.answerDeviceCode(tenant, address, new URLSearchParams(await readText(request))));
    }
    requests.push(`${request.method} ${url.pathname}`);
    const number = Number(/^Bearer token-(\d+)$/.exec(request.headers.authorization ?? "")?.[1] ?? 0);
    const caller = entra.callerOf(number);
    if (caller === undefined || number < tenant.firstValidToken) {
      return send(response, fail(401, "InvalidAuthenticationToken"));
    }
    if (/^\/sites\/[^/]+\/_api\//.test(url.pathname)) {
      return send(response, answerSiteApi(tenant, url.pathname, url.searchParams, caller, service.origin));
    }
    const answer = answerGraph(
      tenant,
      {
        path: url.pathname.replace(/^\/v1\.0\//, ""),
        query: url.searchParams,
        prefer: String(request.headers.prefer ?? ""),
        excludesParents: request.headers.deltaexcludeparent === "true",
        caller,
      },
      { origin: service.origin, transfers: transfers.origin },
    );
    send(response, { ...answer, headers: { date: tenant.now().toUTCString(), ...answer.headers } });
  });

  return {
    tenant,
    entra,
    graphUrl: `${service.origin}/v1.0`,
    authorityUrl: service.origin,
    requests,
    leakedTokens,
    trouble,
    expireTokens: () => void (tenant.firstValidToken = entra.issuedCount + 1),
    async stop() {
      await Promise.all([close(service.server), close(transfers.server)]);
    },
  };
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
  trouble: RemoteTrouble,
  handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): Promise<{ server: Server; origin: string }> {
  const server = createServer(
    trouble.before((request, response) => {
      Promise.resolve(handle(request, response)).catch((error: unknown) => response.destroy(error as Error));
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

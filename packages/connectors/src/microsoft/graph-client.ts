import type { Principal } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { UnexpectedAnswer } from "../remote/remote-answer.ts";
import { createRemoteClient, RemoteError, type RemoteClient, type RemoteRequest } from "../remote/remote-client.ts";
import { clockOf } from "../remote/service-clock.ts";
import type { MicrosoftSecrets, TenantConfig } from "./config.ts";
import { createTokenSource, type TokenContext } from "./entra-token.ts";
import { permissionsToGrant } from "./graph-permissions.ts";
import { userSchema, type GraphPage, type GraphUser } from "./graph-schemas.ts";

export type GraphAccount = { user: GraphUser; principal: Principal };

export type Graph = RemoteClient & {
  tenantId: string;
  /** Whose eyes it sees with; null where they are the application's own. */
  account(): Promise<GraphAccount | null>;
  principal(kind: Principal["kind"], id: string): Principal;
  /** Where a path leads. */
  addressOf(path: string): URL;
  /** Milliseconds since 1970 by Graph's own clock, as its last answer told it; before the first answer, by ours. */
  now(): number;
  /** Every page of a collection, each as it comes. */
  pages<T>(path: string, page: z.ZodType<GraphPage<T>>, request?: RemoteRequest): AsyncIterable<T[]>;
};

/** Where Microsoft itself answers. Whoever else answers speaks for its own host only, not for the tenant it names. */
export const microsoftOrigins: ReadonlySet<string> = new Set([
  "https://graph.microsoft.com",
  "https://graph.microsoft.us",
  "https://dod-graph.microsoft.us",
  "https://microsoftgraph.chinacloudapi.cn",
]);

const service = "Microsoft Graph";
const concurrency = 8;
/** What User.Read lets an account see of itself. */
const accountFields = "id,displayName,mail,userPrincipalName";

/** @param signIn what brings the tokens; Microsoft Entra unless told */
export function createGraph(
  config: TenantConfig,
  secrets: MicrosoftSecrets,
  context: TokenContext,
  signIn = createTokenSource,
): Graph {
  const base = new URL(config.graphUrl.endsWith("/") ? config.graphUrl : `${config.graphUrl}/`);
  const tokens = signIn(config, secrets, `${base.origin}/.default`, context);
  const client = createRemoteClient({
    service,
    baseUrl: base.href,
    allowPrivateHosts: config.allowPrivateHosts,
    context,
    concurrency,
    authorize: async () => ({ authorization: `Bearer ${(await tokens.token()).value}` }),
    explain: (status, body) => explainGraphError(status, body, config.permission),
  });
  const json: RemoteClient["json"] = async (path, schema, request) => {
    const { data, headers } = await client.exchange(path, schema, request);
    answeredAtMs = clockOf(headers);
    return data;
  };
  const tenantId = config.tenantId.toLowerCase();
  const tenant = microsoftOrigins.has(base.origin) ? tenantId : `${tenantId}@${base.host}`;
  const principal: Graph["principal"] = (kind, id) => ({ source: "microsoft", tenant, kind, id: id.toLowerCase() });
  const readAccount = async () => {
    const user = await json("me", userSchema, { query: { $select: accountFields } });
    return { user, principal: principal("user", user.id) };
  };
  let account: Promise<GraphAccount> | undefined;
  let answeredAtMs: number | undefined;
  return {
    ...client,
    json,
    addressOf: (path) => new URL(path, base),
    now: () => answeredAtMs ?? Date.now(),
    tenantId,
    account: async () => (config.permission === "delegated" ? (account ??= readAccount()) : null),
    principal,
    async *pages<T>(path: string, schema: z.ZodType<GraphPage<T>>, request: RemoteRequest = {}) {
      let next: string | null | undefined = path;
      // The next page's address holds the query already.
      for (let query = request.query; next; query = {}) {
        const page: GraphPage<T> = await json(next, schema, { ...request, ...(query ? { query } : {}) });
        yield page.value;
        next = page["@odata.nextLink"];
      }
    },
    async close() {
      await client.close();
      await tokens.close();
    },
  };
}

const errorSchema = z.object({ error: z.object({ code: z.string() }) });

function graphErrorCode(body: string): string | null {
  try {
    return errorSchema.parse(JSON.parse(body)).error.code;
  } catch {
    return null;
  }
}

function explainGraphError(status: number, body: string, permission: TenantConfig["permission"]): AnnealError | null {
  const code = graphErrorCode(body);
  const details = { code };
  if (status === 403) {
    const who = permission === "delegated" ? "the account" : "the application";
    return new AnnealError("SOURCE_FORBIDDEN", `Microsoft Graph refuses ${who} (${code ?? "403"}).`, {
      action: permissionsToGrant(code, permission),
      details,
    });
  }
  if (status === 423) {
    return new AnnealError("SOURCE_FORBIDDEN", "The item is locked in Microsoft 365.", {
      action: "It is read again by the next sync; if it stays, ask the site's owner to unlock it.",
      details,
    });
  }
  if (status === 509) {
    return new AnnealError("RATE_LIMITED", "Microsoft Graph's bandwidth limit is reached.", {
      action: "The sync goes on by itself after the wait.",
      details: { ...details, retryAfterMs: 600_000 },
      retryable: true,
    });
  }
  return null;
}

/** The position in a feed is too old, or was made with other rights: the feed has to be read from its start. */
export function isStale(error: unknown): boolean {
  if (!(error instanceof RemoteError)) return false;
  return error.status === 410 || /^resync|^syncStateNotFound$/i.test(graphErrorCode(error.body) ?? "");
}

/** What is wrong with one item or drive alone; everything else is wrong with the source or the way to it. */
export function isOwnFault(error: unknown): error is RemoteError {
  return (
    error instanceof RemoteError && (error.isAlone || !["SOURCE_CREDENTIALS", "RATE_LIMITED"].includes(error.code))
  );
}

/**
 * The same, where an answer that cannot be understood is about what was asked for as well. One of the service that gives
 * tokens is not.
 */
export function isOwnAnswer(error: unknown): error is RemoteError | UnexpectedAnswer {
  return isOwnFault(error) || (error instanceof UnexpectedAnswer && error.service === service);
}

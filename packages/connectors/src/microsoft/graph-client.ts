import type { Principal } from "@anneal/core/access/acl";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { createRemoteClient, RemoteError, type RemoteClient, type RemoteRequest } from "../remote/remote-client.ts";
import type { MicrosoftSecrets, TenantConfig } from "./config.ts";
import { createTokenSource } from "./entra-token.ts";
import type { GraphPage } from "./graph-schemas.ts";

export type Graph = RemoteClient & {
  tenantId: string;
  principal(kind: Principal["kind"], id: string): Principal;
  /** Every page of a collection, each as it comes. */
  pages<T>(path: string, page: z.ZodType<GraphPage<T>>, request?: RemoteRequest): AsyncIterable<T[]>;
};

/** Where Microsoft itself answers. Whoever else answers speaks for its own host only, not for the tenant it names. */
const microsoftOrigins = new Set([
  "https://graph.microsoft.com",
  "https://graph.microsoft.us",
  "https://dod-graph.microsoft.us",
  "https://microsoftgraph.chinacloudapi.cn",
]);

const concurrency = 8;

export function createGraph(
  config: TenantConfig,
  secrets: MicrosoftSecrets,
  context: Pick<ConnectContext, "signal" | "limits">,
): Graph {
  const base = new URL(config.graphUrl.endsWith("/") ? config.graphUrl : `${config.graphUrl}/`);
  const tokens = createTokenSource(config, secrets, base.origin, context);
  const client = createRemoteClient({
    service: "Microsoft Graph",
    baseUrl: base.href,
    allowPrivateHosts: config.allowPrivateHosts,
    context,
    concurrency,
    authorize: async () => ({ authorization: `Bearer ${await tokens.token()}` }),
    explain: explainGraphError,
  });
  const tenantId = config.tenantId.toLowerCase();
  const tenant = microsoftOrigins.has(base.origin) ? tenantId : `${tenantId}@${base.host}`;
  return {
    ...client,
    tenantId,
    principal: (kind, id) => ({ source: "microsoft", tenant, kind, id: id.toLowerCase() }),
    async *pages<T>(path: string, schema: z.ZodType<GraphPage<T>>, request: RemoteRequest = {}) {
      let next: string | null | undefined = path;
      // The next page's address holds the query already.
      for (let query = request.query; next; query = {}) {
        const page: GraphPage<T> = await client.json(next, schema, { ...request, ...(query ? { query } : {}) });
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

const directoryScopes =
  "Grant the application permissions User.Read.All, GroupMember.Read.All and Organization.Read.All on Microsoft Graph, with admin consent.";
const fileScopes =
  "Grant the application permission Sites.Read.All (or Files.Read.All) on Microsoft Graph, with admin consent; with Sites.Selected, grant it on this site.";

const teamsScopes =
  "Grant the application permissions Channel.ReadBasic.All, ChannelMessage.Read.All and ChannelMember.Read.All on Microsoft Graph, with admin consent; messages are a protected API, for which access is asked of Microsoft.";

function explainGraphError(status: number, body: string): AnnealError | null {
  const code = graphErrorCode(body);
  const details = { code };
  if (status === 403) {
    const isDirectory = code === "Authorization_RequestDenied";
    // What Teams answers: it names the roles that it wants in a text of its own.
    const isTeams = code === "Forbidden";
    return new AnnealError("SOURCE_FORBIDDEN", `Microsoft Graph refuses the application (${code ?? "403"}).`, {
      action: isDirectory ? directoryScopes : isTeams ? teamsScopes : fileScopes,
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
  return error instanceof RemoteError && !["SOURCE_CREDENTIALS", "RATE_LIMITED"].includes(error.code);
}

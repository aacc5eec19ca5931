import { AnnealError } from "@anneal/core/errors";
import type { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { createRemoteClient, RemoteError, type RemoteRequest } from "../remote/remote-client.ts";
import type { AtlassianSecrets } from "./config.ts";

export type SiteConfig = { url: string; auth: "api-token" | "bearer"; email: string; allowPrivateHosts: boolean };

/** One site of Atlassian's cloud. Paths begin at its root ("/wiki/…", "/rest/…"), wherever the address leads to. */
export type AtlassianSite = {
  /** Tells the ids of one site from those of another. */
  tenant: string;
  json<T>(path: string, schema: z.ZodType<T>, request?: RemoteRequest): Promise<T>;
  download(path: string, ref: string): Promise<AsyncIterable<Uint8Array>>;
  /** Whether somebody who has not signed in gets an answer that `schema` accepts. */
  showsStrangers(path: string, schema: z.ZodType): Promise<boolean>;
  close(): Promise<void>;
};

export function openAtlassianSite(
  service: "Confluence" | "Jira",
  config: SiteConfig,
  secrets: AtlassianSecrets,
  context: Pick<ConnectContext, "signal" | "limits">,
): AtlassianSite {
  const address = new URL(config.url);
  const root = address.pathname.replace(/\/+$/, "").replace(/\/wiki$/, "");
  const shared = { service, baseUrl: config.url, allowPrivateHosts: config.allowPrivateHosts, context };
  const authorization = authorizationOf(service, config, secrets);
  const client = createRemoteClient({
    ...shared,
    authorize: async () => ({ authorization }),
    explain: (status) => explainStatus(service, status, address.host),
  });
  const stranger = createRemoteClient(shared);
  return {
    tenant: `${address.host}${root}`,
    json: (path, schema, request) => client.json(root + path, schema, request),
    download: (path, ref) => client.download(root + path, ref),
    async showsStrangers(path, schema) {
      try {
        await stranger.json(root + path, schema);
        return true;
      } catch (error) {
        // A refusal, or a page to sign in at: not public. Anything that may pass is not taken for an answer.
        if (error instanceof AnnealError && !error.retryable) return false;
        throw error;
      }
    },
    async close() {
      await Promise.all([client.close(), stranger.close()]);
    },
  };
}

function authorizationOf(service: string, config: SiteConfig, { token }: AtlassianSecrets): string {
  if (config.auth === "bearer") return `Bearer ${token}`;
  if (config.email === "") {
    throw new AnnealError("INVALID_INPUT", `${service} needs the e-mail address that the API token belongs to.`, {
      action: "Enter it, or choose to sign in with a bearer token.",
    });
  }
  return `Basic ${Buffer.from(`${config.email}:${token}`).toString("base64")}`;
}

function explainStatus(service: string, status: number, host: string): AnnealError | null {
  if (status !== 401) return null;
  return new AnnealError("SOURCE_CREDENTIALS", `${service} at ${host} does not accept the token.`, {
    action:
      "Create a new API token (id.atlassian.com, Security, API tokens) and enter it with the e-mail address of its account.",
    details: { host },
  });
}

/** The first question to a site. One that does not know it is another one, or another product. */
export async function askWhoIAm<T>(service: string, host: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof RemoteError && error.status === 404)) throw error;
    throw new AnnealError("SOURCE_NOT_FOUND", `${host} does not answer as a site of ${service} Cloud.`, {
      action: `Enter the site's address, such as https://your-site.atlassian.net; ${service} Data Center is not read.`,
      details: error.details,
    });
  }
}

/** True for an answer about what was asked for; false for one about the account, the load or the site as a whole. */
export function isAboutWhatWasAsked(error: unknown): error is RemoteError {
  return error instanceof RemoteError && error.code !== "RATE_LIMITED" && ![401, 502, 503, 504].includes(error.status);
}

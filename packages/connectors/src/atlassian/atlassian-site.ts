import { AnnealError } from "@anneal/core/errors";
import type { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { createLastAnswered } from "../remote/last-answered.ts";
import { createRemoteClient, RemoteError, type RemoteRequest } from "../remote/remote-client.ts";
import type { AtlassianSecrets, ConfluenceConfig, Deployment } from "./config.ts";
import { explainStatus, openSignIn } from "./sign-in.ts";

export type Service = "Confluence" | "Jira";
export type SiteConfig = Pick<
  ConfluenceConfig,
  "deployment" | "url" | "auth" | "email" | "clientId" | "user" | "authorityUrl" | "allowPrivateHosts"
>;

/** One site. Paths begin at its root (Cloud: "/wiki/…", "/rest/…"; Data Center: "/rest/…"), wherever that lies. */
export type AtlassianSite = {
  service: Service;
  deployment: Deployment;
  /** Tells the ids of one site from those of another. */
  tenant: string;
  /** The root, as people reach it; no slash at its end. */
  address: string;
  json<T>(path: string, schema: z.ZodType<T>, request?: RemoteRequest): Promise<T>;
  download(path: string, ref: string): Promise<AsyncIterable<Uint8Array>>;
  /** What somebody who has not signed in is answered; null where that is a refusal, or nothing that `schema` accepts. */
  askAsStranger<T>(path: string, schema: z.ZodType<T>): Promise<T | null>;
  close(): Promise<void>;
};

export function openAtlassianSite(
  service: Service,
  config: SiteConfig,
  secrets: AtlassianSecrets,
  context: Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent">,
): AtlassianSite {
  const { deployment } = config;
  const address = new URL(config.url);
  const path = address.pathname.replace(/\/+$/, "");
  // In the cloud Confluence lies below the site at /wiki; a context path of Data Center may be called so.
  const root = deployment === "cloud" ? path.replace(/\/wiki$/, "") : path;
  const shared = {
    service,
    baseUrl: config.url,
    allowPrivateHosts: config.allowPrivateHosts,
    context,
    announcesWaits: deployment === "data-center",
    // A stranger asks for little: the account's answers tell as well that the site answers others.
    lastAnswered: createLastAnswered(),
  };
  const signIn = openSignIn(service, config, secrets, context);
  const client = createRemoteClient({
    ...shared,
    authorize: () => signIn.authorize(),
    explain: (status) => explainStatus(service, config, status, address.host),
  });
  const stranger = createRemoteClient(shared);
  return {
    service,
    deployment,
    tenant: `${address.host}${root}`,
    address: `${address.origin}${root}`,
    json: (at, schema, request) => client.json(root + at, schema, request),
    download: (at, ref) => client.download(root + at, ref),
    async askAsStranger(at, schema) {
      try {
        return await stranger.json(root + at, schema);
      } catch (error) {
        // A refusal, or a page to sign in at. Anything that may pass, or got no answer, is not taken for one.
        if (error instanceof AnnealError && !error.retryable) return null;
        throw error;
      }
    },
    async close() {
      await Promise.all([client.close(), stranger.close(), signIn.close()]);
    },
  };
}

/** What the site does not tell: this version of it nobody, or not this account. Nobody is known to have it then. */
export class NotTold extends AnnealError {
  constructor(message: string, action: string) {
    super("SOURCE_FORBIDDEN", message, { action });
  }
}

/** True for an answer about what was asked for; false for one about the account, the load or the site as a whole. */
export function isAboutWhatWasAsked(error: unknown): error is RemoteError | NotTold {
  if (error instanceof NotTold) return true;
  if (!(error instanceof RemoteError)) return false;
  return error.isAlone || (error.code !== "RATE_LIMITED" && ![401, 502, 503, 504].includes(error.status));
}

export function hasStatus(error: unknown, ...statuses: number[]): error is RemoteError {
  return error instanceof RemoteError && statuses.includes(error.status);
}

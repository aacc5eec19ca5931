import { AnnealError, assertNever } from "@anneal/core/errors";
import type { ConnectContext } from "../connector.ts";
import type { Service, SiteConfig } from "./atlassian-site.ts";
import type { AtlassianSecrets } from "./config.ts";
import { openServiceAccount, type SiteSignIn } from "./service-account.ts";

/** @throws AnnealError INVALID_INPUT for what was not entered, or does not go together */
export function openSignIn(
  service: Service,
  config: SiteConfig,
  secrets: AtlassianSecrets,
  context: Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent">,
): SiteSignIn {
  const { auth, deployment, email, user, clientId, url } = config;
  const invalid = (message: string, action: string) => new AnnealError("INVALID_INPUT", message, { action });
  const missing = (what: string, action: string) => invalid(`${service} needs ${what}.`, action);
  if (deployment === "data-center" && (auth === "api-token" || auth === "service-account")) {
    throw invalid(
      `${service} Data Center has no ${auth === "api-token" ? "API tokens" : "service accounts of Atlassian's cloud"}.`,
      "Choose to sign in with bearer and a personal access token, or with basic.",
    );
  }
  const token = () => {
    if (secrets.token === undefined) throw missing("a token", "Enter it.");
    return secrets.token;
  };
  switch (auth) {
    case "basic":
      if (user === "" || secrets.password === undefined) {
        throw missing(
          "a user name and a password",
          "Enter both, or choose to sign in with a personal access token (bearer).",
        );
      }
      return withHeader(basic(user, secrets.password));
    case "bearer":
      return withHeader(`Bearer ${token()}`);
    case "api-token":
      token();
      if (email === "") {
        throw missing(
          "the e-mail address that the API token belongs to",
          "Enter it, or choose to sign in with a bearer token.",
        );
      }
      return withHeader(basic(email, token()));
    case "service-account":
      if (clientId === "" || secrets.clientSecret === undefined) {
        throw missing("the client ID and the client secret of a service account", "Enter both.");
      }
      if (new URL(url).hostname.endsWith(".atlassian.net")) {
        throw invalid(
          "A service account is let in at api.atlassian.com, and not at the site's own address.",
          `Enter https://api.atlassian.com/ex/${service.toLowerCase()}/<cloud ID>; the cloud ID stands in ${new URL(url).origin}/_edge/tenant_info.`,
        );
      }
      return openServiceAccount(config, secrets.clientSecret, context);
    default:
      return assertNever(auth);
  }
}

function withHeader(authorization: string): SiteSignIn {
  return { authorize: async () => ({ authorization }), close: async () => {} };
}

/** RFC 7617, in UTF-8. */
function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

export function explainStatus(service: Service, config: SiteConfig, status: number, host: string): AnnealError | null {
  if (status !== 401) return null;
  const what = config.auth === "basic" ? "the user name and the password" : "the token";
  return new AnnealError("SOURCE_CREDENTIALS", `${service} at ${host} does not accept ${what}.`, {
    action: toBeAccepted(service, config),
    details: { host },
  });
}

function toBeAccepted(service: Service, { deployment, auth }: SiteConfig): string {
  if (deployment === "cloud") {
    switch (auth) {
      case "service-account":
        return `Check the cloud ID in the address, that the service account has access to ${service}, and that its credential has the scopes that are read with.`;
      case "bearer":
        return "Create a new API token of the service account (Atlassian Administration, Directory, Service accounts) and enter it with the address at api.atlassian.com. An OAuth 2.0 access token ends after an hour: choose service-account instead, which renews it.";
      default:
        return "Create a new API token (id.atlassian.com, Security, API tokens) and enter it with the e-mail address of its account.";
    }
  }
  return auth === "basic"
    ? `Enter them again; where the site signs in by SSO only, use a personal access token (bearer) instead. After several failures ${service} asks for a CAPTCHA: sign in once in a browser.`
    : "Create a new personal access token (Profile, Personal Access Tokens) and enter it; it may have expired.";
}

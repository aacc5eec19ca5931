import { AnnealError } from "@anneal/core/errors";
import type { Service, SiteConfig } from "./atlassian-site.ts";
import type { AtlassianSecrets } from "./config.ts";

/** @returns the Authorization header; @throws AnnealError INVALID_INPUT for what was not entered */
export function authorizationOf(service: Service, config: SiteConfig, secrets: AtlassianSecrets): string {
  const { auth, deployment, email, user } = config;
  const missing = (what: string, action: string) =>
    new AnnealError("INVALID_INPUT", `${service} needs ${what}.`, { action });
  if (auth === "basic") {
    if (user === "" || secrets.password === undefined) {
      throw missing(
        "a user name and a password",
        "Enter both, or choose to sign in with a personal access token (bearer).",
      );
    }
    return basic(user, secrets.password);
  }
  if (auth === "api-token" && deployment === "data-center") {
    throw new AnnealError("INVALID_INPUT", `${service} Data Center has no API tokens.`, {
      action: "Choose to sign in with bearer and a personal access token, or with basic.",
    });
  }
  if (secrets.token === undefined) throw missing("a token", "Enter it.");
  if (auth === "bearer") return `Bearer ${secrets.token}`;
  if (email === "") {
    throw missing(
      "the e-mail address that the API token belongs to",
      "Enter it, or choose to sign in with a bearer token.",
    );
  }
  return basic(email, secrets.token);
}

/** RFC 7617, in UTF-8. */
function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

export function explainStatus(service: Service, config: SiteConfig, status: number, host: string): AnnealError | null {
  if (status !== 401) return null;
  const { deployment, auth } = config;
  const what = auth === "basic" ? "the user name and the password" : "the token";
  return new AnnealError("SOURCE_CREDENTIALS", `${service} at ${host} does not accept ${what}.`, {
    action:
      deployment === "cloud"
        ? "Create a new API token (id.atlassian.com, Security, API tokens) and enter it with the e-mail address of its account."
        : auth === "basic"
          ? `Enter them again; where the site signs in by SSO only, use a personal access token (bearer) instead. After several failures ${service} asks for a CAPTCHA: sign in once in a browser.`
          : "Create a new personal access token (Profile, Personal Access Tokens) and enter it; it may have expired.",
    details: { host },
  });
}

// Who gets to see a source's credentials with its settings; and as whom an API is read with them.

/**
 * A password goes to the mail server; elsewhere a token does, which somebody else gives for the credentials. And whose
 * mailbox it is: what signs an application in opens every one of a tenant.
 */
export function mailSecretsGoTo(config: Record<string, unknown>): string {
  const { user, host, port, tls, verifyCertificate, authentication, tenantId, clientId, authorityUrl } = config;
  const unchecked = verifyCertificate === false ? ", unchecked" : "";
  const server = `${String(user)} on ${String(host)}:${String(port ?? 993)} (${String(tls ?? "tls")}${unchecked})`;
  switch (authentication ?? "password") {
    case "password":
      return server;
    case "google-service-account":
      return `${server} by a token from ${String(authorityUrl ?? "Google")}`;
    default: {
      const authority = authorityUrl ?? undefined;
      const permission = authentication === "microsoft-delegated" ? "delegated" : "application";
      const from = microsoftSecretsGoTo({ authorityUrl: authority, permission, tenantId, clientId });
      return `${server} by a token from ${from}`;
    }
  }
}

/** What signs the application in is the tenant's for good; a sign-in counts for the app and the tenant that it was for. */
export function microsoftSecretsGoTo({
  authorityUrl,
  permission,
  tenantId,
  clientId,
}: Record<string, unknown>): string {
  const authority = String(authorityUrl ?? "https://login.microsoftonline.com");
  if (permission !== "delegated") return authority;
  return `an account in the app ${String(clientId)} of the tenant ${String(tenantId)} at ${authority}`;
}

/**
 * The client's secret goes to the token service, everything else to the API itself, and to the other servers that lists and
 * contents may have whole addresses on.
 */
export function apiSecretsGoTo({ url, signIn, tokenUrl, ...settings }: Record<string, unknown>): string {
  const paths = [settings["list"], settings["groups"], settings["contentPath"]].map(String);
  const whole = paths.filter((path) => /^https?:\/\//i.test(path));
  const places = [...new Set([url, ...whole].map(originOf))].join(" and ");
  return signIn === "oauth2" ? `${places} by a token from ${String(tokenUrl)}` : places;
}

/** What a token or a key opens only the service knows. */
export function apiAccount({ signIn, user }: Record<string, unknown>): string | null {
  switch (signIn ?? "none") {
    case "none":
      return "";
    case "basic":
    case "oauth2":
      return String(user);
    default:
      return null;
  }
}

export function originOf(url: unknown): string {
  return URL.parse(String(url))?.origin ?? String(url);
}

/** A service account's credential goes to Atlassian, and what is given for it to the site. */
export function atlassianSecretsGoTo({ url, auth, clientId, authorityUrl }: Record<string, unknown>): string {
  const site = `${String(url)} (${String(auth ?? "api-token")})`;
  return auth === "service-account" ? `${site} of ${String(clientId)} by ${String(authorityUrl ?? "Atlassian")}` : site;
}

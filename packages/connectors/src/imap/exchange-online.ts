import type { EntraConfig } from "../microsoft/config.ts";
import type { ImapConfig } from "./config.ts";

/**
 * The address of what is asked for where it is the mail server's own: Microsoft's national clouds. Elsewhere each of the two
 * permissions has an address that Microsoft names for it ("Authenticate an IMAP, POP or SMTP connection using OAuth").
 */
const nationalHosts = new Set(["outlook.office365.us", "outlook-dod.office365.us", "partner.outlook.cn"]);

/** The delegated permission, which the account that signs in consents to. */
export const delegatedPermission = "IMAP.AccessAsUser.All";
/** The application permission, which an administrator grants. */
export const applicationPermission = "IMAP.AccessAsApp";

export function isExchangeOnline(host: string): boolean {
  const name = host.toLowerCase();
  return nationalHosts.has(name) || name === "outlook.office365.com" || name === "outlook.office.com";
}

/** Where the delegated permission is asked for. */
export function delegatedResource({ host }: Pick<ImapConfig, "host">): string {
  return nationalResource(host) ?? "https://outlook.office.com";
}

export function delegatedScope(config: Pick<ImapConfig, "host">): string {
  return `${delegatedResource(config)}/${delegatedPermission}`;
}

export function applicationScope({ host }: Pick<ImapConfig, "host">): string {
  return `${nationalResource(host) ?? "https://outlook.office365.com"}/.default`;
}

function nationalResource(host: string): string | null {
  const name = host.toLowerCase();
  return nationalHosts.has(name) ? `https://${name}` : null;
}

/** The app registration of a mailbox that is read through one. */
export function entraConfigOf(config: ImapConfig): EntraConfig {
  const { tenantId, clientId, authentication, authorityUrl, allowPrivateHosts } = config;
  return {
    // The schema wants both where there is an app registration.
    tenantId: tenantId ?? "",
    clientId: clientId ?? "",
    permission: authentication === "microsoft-delegated" ? "delegated" : "application",
    authorityUrl: authorityUrl ?? "https://login.microsoftonline.com",
    // The vendor's own has a public address; only an administrator names another.
    allowPrivateHosts: authorityUrl !== null && allowPrivateHosts,
  };
}

/**
 * What an administrator granted, as far as a token of Entra's says: it is meant for Exchange, and read here only to tell
 * what is missing once Exchange has refused it.
 * @returns null where it does not say
 */
export function grantedRoles(accessToken: string): readonly string[] | null {
  try {
    const payload = JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString()) as unknown;
    const roles = (payload as { roles?: unknown }).roles ?? [];
    return Array.isArray(roles) ? roles.map(String) : null;
  } catch {
    return null;
  }
}

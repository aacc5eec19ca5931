import { AnnealError, assertNever } from "@anneal/core/errors";
import type { ImapFlowError } from "imapflow";
import { RateLimited } from "../remote/rate-limited.ts";
import type { ImapConfig } from "./config.ts";
import { applicationPermission, delegatedPermission, grantedRoles, isExchangeOnline } from "./exchange-online.ts";

export function unofferedSignIn(config: ImapConfig): AnnealError {
  const { host, user, authentication } = config;
  return new AnnealError("SOURCE_CREDENTIALS", `${host} offers "${user}" no sign-in by ${wordsOf(authentication)}.`, {
    action: authentication === "password" ? askForAnother(config) : "Choose password, or correct the host.",
    details: { code: "AUTHENTICATIONFAILED" },
  });
}

/**
 * What a server says of a sign-in is seldom more than no: the action names all that has to be granted for this kind of it.
 * @param token the access token that was refused, or null for a password
 */
export function refusedSignIn(config: ImapConfig, error: ImapFlowError, token: string | null): AnnealError {
  const { host, user } = config;
  const { serverResponseCode: code } = error;
  const said = String(error.response).slice(0, 1000);
  const details = { code: code ?? "AUTHENTICATIONFAILED" };
  switch (code) {
    case "UNAVAILABLE":
    case "LIMIT":
    case "INUSE":
      return new RateLimited({
        place: host,
        toldMs: null,
        details,
        message: `${host} does not let anybody sign in now (${code}).`,
        action: "The sync goes on by itself; close other connections to the mailbox if there are many.",
      });
  }
  // As Gmail and others put it; nothing of what the server wrote is repeated.
  if (/imap[^.]*(disabled|not enabled)|not enabled for imap/i.test(said)) {
    return new AnnealError("SOURCE_FORBIDDEN", `${host} says that IMAP is off for "${user}".`, {
      action: allowImap(config),
      details,
    });
  }
  // Exchange takes the token first, and only then looks whether the mailbox may be opened with it.
  if (/authenticated but not connected/i.test(said)) {
    return new AnnealError("SOURCE_FORBIDDEN", `${host} took the sign-in and does not open the mailbox "${user}".`, {
      action: actionFor(config, token),
      details,
    });
  }
  return new AnnealError("SOURCE_CREDENTIALS", `${host} did not accept the sign-in of "${user}".`, {
    action: actionFor(config, token),
    details,
  });
}

function actionFor(config: ImapConfig, token: string | null): string {
  const { user, authentication } = config;
  switch (authentication) {
    case "password":
      return `${askForAnother(config)} Allow IMAP for the account.`;
    case "microsoft-delegated":
      return `“User” has to be the account that signed in, or a shared mailbox that it has full access to (Add-MailboxPermission -Identity ${user} -User … -AccessRights FullAccess); the app needs the delegated permission ${delegatedPermission}. ${allowImap(config)}`;
    case "microsoft-application":
      return lacksRole(token)
        ? `Under API permissions of the app registration add ${applicationPermission} (APIs my organization uses > Office 365 Exchange Online > Application permissions), and grant admin consent.`
        : `The app needs the application permission ${applicationPermission} with admin consent, and in Exchange Online PowerShell: New-ServicePrincipal -AppId ${config.clientId} -ObjectId … (the object ID under Enterprise applications, not that of the app registration), then Add-MailboxPermission -Identity ${user} -User … -AccessRights FullAccess with the same object ID. ${allowImap(config)}`;
    case "google-service-account":
      return `“User” has to be the main address of a user of the Workspace. ${allowImap(config)}`;
    default:
      return assertNever(authentication);
  }
}

function askForAnother({ host }: ImapConfig): string {
  return isExchangeOnline(host)
    ? "Exchange Online takes no password over IMAP: choose microsoft-delegated or microsoft-application."
    : "Enter the password again: an app password where the provider wants one.";
}

function allowImap(config: ImapConfig): string {
  const { user, authentication } = config;
  switch (authentication) {
    case "microsoft-delegated":
    case "microsoft-application":
      return `IMAP has to be on for the mailbox: Set-CASMailbox -Identity ${user} -ImapEnabled $true. What was granted can take some minutes to hold.`;
    case "google-service-account":
      return "IMAP has to be on for that user: in the Admin console under Apps > Google Workspace > Gmail > End User Access > POP and IMAP access.";
    case "password":
      return "Switch IMAP on in the account's settings, or ask the mail server's administrator to.";
    default:
      return assertNever(authentication);
  }
}

function lacksRole(token: string | null): boolean {
  const roles = token === null ? null : grantedRoles(token);
  return roles !== null && !roles.includes(applicationPermission);
}

function wordsOf(authentication: ImapConfig["authentication"]): string {
  return authentication === "password" ? "password" : "access token (OAuth)";
}

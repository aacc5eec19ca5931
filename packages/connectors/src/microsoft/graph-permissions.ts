import type { TenantConfig } from "./config.ts";

/** What to grant, in Microsoft's words: permissions by their names, on Microsoft Graph. */
const toApplication = {
  directory:
    "Grant the application permissions User.Read.All, GroupMember.Read.All and Organization.Read.All on Microsoft Graph, with admin consent.",
  files:
    "Grant the application permission Sites.Read.All (or Files.Read.All) on Microsoft Graph, with admin consent; with Sites.Selected, grant it on this site.",
  teams:
    "Grant the application permissions Channel.ReadBasic.All, ChannelMessage.Read.All and ChannelMember.Read.All on Microsoft Graph, with admin consent; messages are a protected API, for which access is asked of Microsoft.",
};

const toAccount = {
  directory: "Add the delegated permission User.Read on Microsoft Graph to the app, and sign in again.",
  files:
    "Let the account that signed in open it in SharePoint; the app needs the delegated permission Files.Read.All, and Sites.Read.All for a site, on Microsoft Graph: sign in again to consent to it.",
  teams:
    "Let the account that signed in be a member of the team; the app needs the delegated permissions Channel.ReadBasic.All, and ChannelMessage.Read.All and ChannelMember.Read.All for messages, on Microsoft Graph. An administrator consents to those of messages; without them switch “Messages” off.",
};

/** @param code of Graph's refusal */
export function permissionsToGrant(code: string | null, permission: TenantConfig["permission"]): string {
  const words = permission === "delegated" ? toAccount : toApplication;
  if (code === "Authorization_RequestDenied") return words.directory;
  // What Teams answers: it names the roles that it wants in a text of its own.
  return code === "Forbidden" ? words.teams : words.files;
}

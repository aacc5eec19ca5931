import type { TeamsConfig } from "./config.ts";

/**
 * The delegated permissions that a sign-in asks for: only those that an account may consent to by itself, so that it needs
 * no administrator (Microsoft Graph permissions reference). Messages of Teams are the exception, and can be left out.
 * What an administrator consents to beyond them is used as well.
 */
export const sharepointScopes = ["Sites.Read.All", "Files.Read.All", "User.Read"];

export const onedriveScopes = ["Files.Read.All", "User.Read"];

export function teamsScopes({ messages, files }: Pick<TeamsConfig, "messages" | "files">): string[] {
  return [
    "Channel.ReadBasic.All",
    "User.Read",
    ...(messages ? ["ChannelMessage.Read.All", "ChannelMember.Read.All"] : []),
    ...(files ? ["Files.Read.All"] : []),
  ];
}

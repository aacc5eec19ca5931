import { isAnnealError, type AnnealError } from "@anneal/core/errors";
import type { admin_directory_v1 } from "@googleapis/admin";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { RemoteError } from "../remote/remote-client.ts";
import type { GdriveConfig } from "./config.ts";
import { createGoogleClient, type GoogleClient } from "./google-client.ts";
import type { ServiceAccount } from "./service-account.ts";

/** The parts of the Admin SDK's Directory API that are used ("users", "groups", "members"). */
export const directoryScopes = [
  "https://www.googleapis.com/auth/admin.directory.user.readonly",
  "https://www.googleapis.com/auth/admin.directory.group.readonly",
];

const userSchema = z.looseObject({
  primaryEmail: z.string().min(1),
  name: z.looseObject({ fullName: z.string().optional() }).optional(),
  /** Set by administrators; `emails` holds what users write themselves and is not asked for. */
  aliases: z.array(z.string()).default([]),
  suspended: z.boolean().default(false),
  archived: z.boolean().default(false),
});
const userListSchema = z.looseObject({ users: z.array(userSchema).default([]), nextPageToken: z.string().optional() });

const groupSchema = z.looseObject({ id: z.string(), email: z.string().min(1), name: z.string().default("") });
const groupListSchema = z.looseObject({
  groups: z.array(groupSchema).default([]),
  nextPageToken: z.string().optional(),
});

const memberSchema = z.looseObject({
  type: z.string(),
  email: z.string().optional(),
  status: z.string().optional(),
});
const memberListSchema = z.looseObject({
  members: z.array(memberSchema).default([]),
  nextPageToken: z.string().optional(),
});

type DirectoryUser = z.infer<typeof userSchema>;
type DirectoryGroup = z.infer<typeof groupSchema>;
export type DirectoryMember = z.infer<typeof memberSchema>;

export type DirectoryClient = GoogleClient<admin_directory_v1.Admin>;

export function createDirectoryClient(options: {
  account: ServiceAccount;
  config: GdriveConfig;
  context: Pick<ConnectContext, "signal" | "limits">;
}): DirectoryClient {
  return createGoogleClient({
    service: "The Workspace directory",
    baseUrl: "https://admin.googleapis.com",
    open: async (library) => new (await import("@googleapis/admin")).admin_directory_v1.Admin(library),
    account: options.account,
    subject: options.config.directoryAdmin ?? options.config.user,
    scopes: directoryScopes,
    place: options.config,
    context: options.context,
  });
}

export async function* listUsers(client: DirectoryClient, pageSize = 500): AsyncIterable<DirectoryUser> {
  let pageToken: string | undefined;
  do {
    const page = await client.ask(userListSchema, ({ users }) =>
      users.list({
        customer: "my_customer",
        maxResults: pageSize,
        fields: "nextPageToken,users(primaryEmail,name(fullName),aliases,suspended,archived)",
        pageToken,
      }),
    );
    yield* page.users;
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
}

export async function* listGroups(client: DirectoryClient, pageSize = 200): AsyncIterable<DirectoryGroup> {
  let pageToken: string | undefined;
  do {
    const page = await client.ask(groupListSchema, ({ groups }) =>
      groups.list({
        customer: "my_customer",
        maxResults: pageSize,
        fields: "nextPageToken,groups(id,email,name)",
        pageToken,
      }),
    );
    yield* page.groups;
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
}

/** Direct members, groups among them; none of a group that was deleted meanwhile. */
export async function listMembers(client: DirectoryClient, groupKey: string): Promise<DirectoryMember[]> {
  const listed: DirectoryMember[] = [];
  let pageToken: string | undefined;
  try {
    do {
      const page = await client.ask(memberListSchema, ({ members }) =>
        members.list({ groupKey, maxResults: 200, fields: "nextPageToken,members(type,email,status)", pageToken }),
      );
      listed.push(...page.members);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    return listed;
  } catch (error) {
    if (error instanceof RemoteError && error.status === 404) return [];
    throw error;
  }
}

/**
 * True where the account has not been granted the directory, or has none, as opposed to one that does not answer just
 * now. An account that acts for nobody, or in no Workspace, is told 400 or 404.
 */
export function isNotGranted(error: unknown): error is AnnealError {
  if (error instanceof RemoteError && (error.status === 400 || error.status === 404)) return true;
  return isAnnealError(error) && (error.code === "SOURCE_FORBIDDEN" || error.code === "SOURCE_CREDENTIALS");
}

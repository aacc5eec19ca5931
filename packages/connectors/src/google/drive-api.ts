import type { drive_v3 } from "@googleapis/drive";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { orLostPosition } from "../remote/lost-position.ts";
import { RemoteError } from "../remote/remote-client.ts";
import type { GdriveConfig } from "./config.ts";
import { createGoogleClient, type GoogleClient } from "./google-client.ts";
import type { ServiceAccount } from "./service-account.ts";

/** The parts of Drive API v3 that are used, as its reference describes them ("files", "changes", "drives", "permissions"). */
export const folderType = "application/vnd.google-apps.folder";

const permissionSchema = z.looseObject({
  type: z.string(),
  role: z.string(),
  emailAddress: z.string().optional(),
  domain: z.string().optional(),
  allowFileDiscovery: z.boolean().optional(),
  deleted: z.boolean().optional(),
  expirationTime: z.string().optional(),
  view: z.string().optional(),
  inheritedPermissionsDisabled: z.boolean().optional(),
  permissionDetails: z
    .array(
      z.looseObject({
        permissionType: z.string().optional(),
        inherited: z.boolean().optional(),
        inheritedFrom: z.string().optional(),
      }),
    )
    .optional(),
});
export type DrivePermission = z.infer<typeof permissionSchema>;

const fileSchema = z.looseObject({
  id: z.string().min(1),
  name: z.string().default(""),
  mimeType: z.string().default(""),
  size: z.string().optional(),
  md5Checksum: z.string().optional(),
  headRevisionId: z.string().optional(),
  modifiedTime: z.string().optional(),
  trashed: z.boolean().optional(),
  ownedByMe: z.boolean().optional(),
  driveId: z.string().optional(),
  parents: z.array(z.string()).optional(),
  webViewLink: z.string().optional(),
  hasAugmentedPermissions: z.boolean().optional(),
  inheritedPermissionsDisabled: z.boolean().optional(),
  /** Left out by Drive where the user may not share the file, and for everything in a shared drive. */
  permissions: z.array(permissionSchema).optional(),
});
export type DriveFile = z.infer<typeof fileSchema>;

const permissionFields =
  "id,type,role,emailAddress,domain,allowFileDiscovery,deleted,expirationTime,view,inheritedPermissionsDisabled,permissionDetails(permissionType,inherited,inheritedFrom)";
const fileFields =
  "id,name,mimeType,size,md5Checksum,headRevisionId,modifiedTime,trashed,ownedByMe,driveId,parents,webViewLink," +
  `hasAugmentedPermissions,inheritedPermissionsDisabled,permissions(${permissionFields})`;
/** What tells whether a file is asked for. */
export const scopeFields = "id,name,mimeType,trashed,ownedByMe,driveId,parents";

const fileListSchema = z.looseObject({
  files: z.array(fileSchema).default([]),
  nextPageToken: z.string().optional(),
  incompleteSearch: z.boolean().optional(),
});

const changeSchema = z.looseObject({
  changeType: z.string().optional(),
  removed: z.boolean().optional(),
  fileId: z.string().optional(),
  file: fileSchema.optional(),
});
export type DriveChange = z.infer<typeof changeSchema>;

const changeListSchema = z.looseObject({
  changes: z.array(changeSchema).default([]),
  nextPageToken: z.string().optional(),
  newStartPageToken: z.string().optional(),
});
export type ChangePage = z.infer<typeof changeListSchema>;

const permissionListSchema = z.looseObject({
  permissions: z.array(permissionSchema).default([]),
  nextPageToken: z.string().optional(),
});

const restrictionsSchema = z.looseObject({
  domainUsersOnly: z.boolean().optional(),
  driveMembersOnly: z.boolean().optional(),
});
export type DriveRestrictions = z.infer<typeof restrictionsSchema>;

const driveSchema = z.looseObject({
  id: z.string().min(1),
  name: z.string().default(""),
  restrictions: restrictionsSchema.default({}),
});
const driveFields = "id,name,restrictions(domainUsersOnly,driveMembersOnly)";
const driveListSchema = z.looseObject({
  drives: z.array(driveSchema).default([]),
  nextPageToken: z.string().optional(),
});
const aboutSchema = z.looseObject({ user: z.looseObject({ emailAddress: z.string().default("") }) });
const startTokenSchema = z.looseObject({ startPageToken: z.string().min(1) });

export const driveScope = "https://www.googleapis.com/auth/drive.readonly";

export type DriveClient = GoogleClient<drive_v3.Drive>;

/** A corpus with its own listing and its own feed: what the user sees, or one shared drive. */
export type Corpus = { driveId: string | null; name: string; restrictions: DriveRestrictions };

export function createDriveClient(options: {
  account: ServiceAccount;
  config: GdriveConfig;
  context: Pick<ConnectContext, "signal" | "limits" | "onRemoteEvent" | "clock">;
}): DriveClient {
  const { account, config, context } = options;
  return createGoogleClient({
    service: "Google Drive",
    baseUrl: "https://www.googleapis.com",
    open: async (library) => new (await import("@googleapis/drive")).drive_v3.Drive(library),
    account,
    subject: config.user,
    scopes: [driveScope],
    place: config,
    context,
  });
}

export async function readAccount(client: DriveClient): Promise<string> {
  const { user } = await client.ask(aboutSchema, ({ about }) => about.get({ fields: "user(emailAddress)" }));
  return user.emailAddress;
}

export async function getDrive(client: DriveClient, driveId: string): Promise<Corpus> {
  return toCorpus(await client.ask(driveSchema, ({ drives }) => drives.get({ driveId, fields: driveFields })));
}

export async function listDrives(client: DriveClient): Promise<Corpus[]> {
  const listed: Corpus[] = [];
  let pageToken: string | undefined;
  do {
    const page = await client.ask(driveListSchema, ({ drives }) =>
      drives.list({ pageSize: 100, fields: `nextPageToken,drives(${driveFields})`, pageToken }),
    );
    listed.push(...page.drives.map(toCorpus));
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return listed;
}

function toCorpus({ id, name, restrictions }: z.infer<typeof driveSchema>): Corpus {
  return { driveId: id, name, restrictions };
}

export async function getFile(client: DriveClient, id: string): Promise<DriveFile> {
  return client.ask(fileSchema, ({ files }) => files.get({ fileId: id, supportsAllDrives: true, fields: fileFields }));
}

/** Like `getFile`; null where the user does not see it (any more). */
export async function findFile(client: DriveClient, id: string): Promise<DriveFile | null> {
  return getFile(client, id).catch((error: unknown) => {
    if (error instanceof RemoteError && (error.status === 403 || error.status === 404)) return null;
    throw error;
  });
}

type FilePage = { files: DriveFile[]; complete: boolean; last: boolean };

/** @param query as "Search for files and folders" describes it */
export async function* listFiles(
  client: DriveClient,
  corpus: Pick<Corpus, "driveId">,
  query: string,
  fields = fileFields,
): AsyncIterable<FilePage> {
  let pageToken: string | undefined;
  do {
    const page: z.infer<typeof fileListSchema> = await client
      .ask(fileListSchema, ({ files }) =>
        files.list({
          ...(corpus.driveId === null ? { corpora: "user" } : { corpora: "drive", driveId: corpus.driveId }),
          includeItemsFromAllDrives: corpus.driveId !== null,
          supportsAllDrives: true,
          spaces: "drive",
          pageSize: 1000,
          q: query,
          fields: `nextPageToken,incompleteSearch,files(${fields})`,
          pageToken,
        }),
      )
      .catch(orLostPosition("Google Drive", pageToken));
    pageToken = page.nextPageToken;
    yield { files: page.files, complete: page.incompleteSearch !== true, last: pageToken === undefined };
  } while (pageToken !== undefined);
}

export async function getStartToken(client: DriveClient, corpus: Corpus): Promise<string> {
  const answer = await client.ask(startTokenSchema, ({ changes }) =>
    changes.getStartPageToken({
      supportsAllDrives: true,
      driveId: corpus.driveId ?? undefined,
      fields: "startPageToken",
    }),
  );
  return answer.startPageToken;
}

export async function listChanges(client: DriveClient, corpus: Corpus, pageToken: string): Promise<ChangePage> {
  return client.ask(changeListSchema, ({ changes }) =>
    changes.list({
      pageToken,
      driveId: corpus.driveId ?? undefined,
      includeRemoved: true,
      includeItemsFromAllDrives: corpus.driveId !== null,
      supportsAllDrives: true,
      spaces: "drive",
      pageSize: 1000,
      fields: `nextPageToken,newStartPageToken,changes(changeType,removed,fileId,file(${fileFields}))`,
    }),
  );
}

/** What is granted on a file, a folder or a shared drive, inherited included; null where the user may not see it. */
export async function listPermissions(client: DriveClient, id: string): Promise<DrivePermission[] | null> {
  const listed: DrivePermission[] = [];
  const fields = `nextPageToken,permissions(${permissionFields})`;
  let pageToken: string | undefined;
  try {
    do {
      const page = await client.ask(permissionListSchema, ({ permissions }) =>
        permissions.list({ fileId: id, supportsAllDrives: true, pageSize: 100, fields, pageToken }),
      );
      listed.push(...page.permissions);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
    return listed;
  } catch (error) {
    if (error instanceof RemoteError && (error.status === 403 || error.status === 404)) return null;
    throw error;
  }
}

/** For downloads, which are streamed and limited by the gateway and pass no library. */
export function filePath(id: string): string {
  return `/drive/v3/files/${encodeURIComponent(id)}`;
}

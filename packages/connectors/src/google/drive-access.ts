import { hash } from "node:crypto";
import { aclFingerprint, nobody } from "@anneal/core/access/acl";
import type { Change, KnownItems } from "@anneal/core/connect/change";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import type { ConnectContext } from "../connector.ts";
import { isIncluded } from "../path-filter.ts";
import { isRefusedAlone, unknownReaders } from "../remote/refused-alone.ts";
import type { RemoteError } from "../remote/remote-client.ts";
import type { GdriveConfig, GdriveSecrets } from "./config.ts";
import {
  createDriveClient,
  getDrive,
  getFile,
  listDrives,
  listPermissions,
  readAccount,
  type Corpus,
  type DriveClient,
  type DriveFile,
} from "./drive-api.ts";
import { changesOfFile, contentOfFile, isDocument } from "./drive-documents.ts";
import { aclOfPermissions } from "./drive-permissions.ts";
import { DriveTree } from "./drive-tree.ts";
import { parseServiceAccount, type ServiceAccount } from "./service-account.ts";

/** One run's view of the drives that are read. */
export type DriveAccess = {
  client: DriveClient;
  account: ServiceAccount;
  config: GdriveConfig;
  /** The address of the user that is read as. */
  userEmail: string;
  tenant: string;
  corpora: Corpus[];
  tree: DriveTree;
  close(): Promise<void>;
};

type Request = {
  config: GdriveConfig;
  secrets: GdriveSecrets;
  context: Pick<ConnectContext, "signal" | "limits">;
};

/** @throws AnnealError where the account, or a drive that the settings name, cannot be had */
export async function openDriveAccess({ config, secrets, context }: Request): Promise<DriveAccess> {
  const account = parseServiceAccount(secrets.serviceAccountKey);
  const client = createDriveClient({ account, config, context });
  try {
    const userEmail = await readAccount(client);
    const readsOwn = config.drives !== "shared-drives";
    const rootId = readsOwn ? (await getFile(client, "root")).id : null;
    const drives = config.drives === "my-drive" ? [] : await findDrives(client, config);
    const tenant = tenantOf(config, account);
    const tree = new DriveTree({
      client,
      rootId,
      drives: new Map(drives.map((drive) => [drive.driveId ?? "", drive])),
      rules: { tenant, linkSharing: config.linkSharing, nowMs: Date.now() },
    });
    const corpora = [...(readsOwn ? [{ driveId: null, name: "My Drive", restrictions: {} }] : []), ...drives];
    return { client, account, config, userEmail, tenant, corpora, tree, close: () => client.close() };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** The Workspace that vouches for the addresses: that of the user, or of the service account where it acts for nobody. */
export function tenantOf(config: GdriveConfig, account: ServiceAccount): string {
  return ((config.user ?? config.directoryAdmin ?? account.email).split("@").at(-1) ?? "").toLowerCase();
}

async function findDrives(client: DriveClient, { driveIds }: GdriveConfig): Promise<Corpus[]> {
  if (driveIds.length === 0) return listDrives(client);
  const drives: Corpus[] = [];
  for (const driveId of new Set(driveIds)) {
    drives.push(
      await getDrive(client, driveId).catch((error: unknown) => {
        if (!isAnnealError(error) || error.code !== "SOURCE_NOT_FOUND") throw error;
        throw new AnnealError(
          "SOURCE_NOT_FOUND",
          `There is no shared drive "${driveId}" that the user is a member of.`,
          {
            action: "Make the user a member of the drive (Viewer is enough), or take its ID out of the settings.",
          },
        );
      }),
    );
  }
  return drives;
}

/** Who a shared drive as a whole is open to, and whom its restrictions keep from all that is in it. */
export async function audienceOf(
  { client, tenant, config }: DriveAccess,
  { driveId, restrictions }: Corpus,
): Promise<string> {
  if (driveId === null) return "";
  const permissions = await listPermissions(client, driveId);
  const rules = { tenant, linkSharing: config.linkSharing, nowMs: Date.now(), restrictions };
  const acl = permissions === null ? nobody : aclOfPermissions(permissions, {}, rules);
  const { driveMembersOnly = false, domainUsersOnly = false } = restrictions;
  const kept = driveMembersOnly || domainUsersOnly ? JSON.stringify([driveMembersOnly, domainUsersOnly]) : "";
  return hash("sha256", aclFingerprint(acl) + kept, "base64url").slice(0, 16);
}

/** What a position in the feeds belongs to: with other settings everything is looked at anew. */
export function settingsDigest(config: GdriveConfig, documentBytes: number): string {
  return hash("sha256", JSON.stringify([config, documentBytes]), "base64url").slice(0, 22);
}

/** "excluded": by the patterns. "elsewhere": out of scope by anything else. */
export type Standing = "wanted" | "excluded" | "elsewhere";

/** Only metadata decides here; a file in the trash is out of scope, whatever lies above it. */
export async function standingOf({ config, corpora, tree }: DriveAccess, file: DriveFile): Promise<Standing> {
  if (file.trashed === true || !isDocument(file, config)) return "elsewhere";
  if (!corpora.some(({ driveId }) => driveId === (file.driveId ?? null))) return "elsewhere";
  const filtered = config.include.length > 0 || config.exclude.length > 0;
  // A service account by itself has no My Drive worth the name: it is given what to read by sharing.
  const takesAll = file.driveId !== undefined || config.sharedWithMe || config.user === null || file.ownedByMe === true;
  if (takesAll && !filtered) return "wanted";
  const place = await tree.placeOf(file);
  if (!takesAll && !place.rooted) return "elsewhere";
  return isIncluded(place.path, config) ? "wanted" : "excluded";
}

export async function isInScope(access: DriveAccess, file: DriveFile): Promise<boolean> {
  return (await standingOf(access, file)) === "wanted";
}

/**
 * Documents to ask for in each run whatever the feeds tell: those whose transfer failed, and those whose permissions
 * will end.
 */
export type Revisits = Set<string>;

export async function changesOf(
  access: DriveAccess,
  file: DriveFile,
  known: KnownItems,
  options: { maxBytes: number; revisits: Revisits },
): Promise<Change[]> {
  const { client, config, tree } = access;
  const { maxBytes, revisits } = options;
  const content = contentOfFile(client, file, config, (error) => {
    // What is too large, or not to be downloaded, stays so until the feed or the settings say otherwise.
    const isLasting = isAnnealError(error) && ["DOCUMENT_TOO_LARGE", "SOURCE_FORBIDDEN"].includes(error.code);
    if (!isLasting) revisits.add(file.id);
  });
  let refused: RemoteError | null = null;
  const { acl, expires } = await tree.audienceOf(file).catch((error: unknown) => {
    if (!isRefusedAlone(error)) throw error;
    refused = error;
    return { acl: nobody, expires: true };
  });
  if (expires) revisits.add(file.id);
  const changes = changesOfFile(file, acl, await known.fingerprintOf(file.id), { config, maxBytes, content });
  return refused === null ? changes : [...changes, failureOf(file, unknownReaders(refused))];
}

/** One that is asked for again by the next run. */
export function failureOf({ id }: DriveFile, error: AnnealError): Change {
  return { type: "failure", ref: id, error: error.toReport() };
}

import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck, reportOf } from "../failure.ts";
import { addToPreview, describePreview, joinNames, type Preview } from "../preview.ts";
import type { GdriveConfig, GdriveSecrets } from "./config.ts";
import { createDirectoryClient, directoryScopes, isNotGranted, listGroups, listUsers } from "./directory-api.ts";
import { driveScope, folderType, getStartToken, listFiles, type DriveFile } from "./drive-api.ts";
import { isInScope, openDriveAccess, type DriveAccess } from "./drive-access.ts";
import { delegationAction } from "./service-account.ts";

const checkedFiles = 1000;
const checkMs = 5_000;

export async function checkDrive(
  config: GdriveConfig,
  secrets: GdriveSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  try {
    const access = await openDriveAccess({ config, secrets, context });
    try {
      const preview: Preview = { count: 0, complete: true, samples: [] };
      const looked = await lookAtFiles(access, preview);
      for (const corpus of access.corpora) await getStartToken(access.client, corpus);
      const place = `${joinNames(access.corpora.slice(0, 3).map(({ name }) => `"${name}"`))} of ${access.userEmail}`;
      return {
        checks: [
          readCheck(access, preview),
          { capability: "changes", status: "ok", message: "Drive tells of changes, moves and deletions." },
          permissionCheck(access, looked),
          await checkGroups(access, context),
        ],
        summary: `${access.corpora.length === 0 ? `No drive of ${access.userEmail}` : place} can be read and holds ${describePreview(preview, "document")}.`,
        error: null,
      };
    } finally {
      await access.close();
    }
  } catch (error) {
    return failedCheck("read", error);
  }
}

/** What was seen of the documents' permissions: how many there are, and how many of them may not be asked about. */
type Looked = { count: number; unknown: number };

async function lookAtFiles(access: DriveAccess, preview: Preview): Promise<Looked> {
  const looked: Looked = { count: 0, unknown: 0 };
  const until = performance.now() + checkMs;
  for (const corpus of access.corpora) {
    for await (const page of listFiles(access.client, corpus, `trashed = false and mimeType != '${folderType}'`)) {
      for (const file of page.files) {
        if (await isInScope(access, file)) {
          addToPreview(preview, file.name);
          looked.count += 1;
          if (await isUnknown(access, file)) looked.unknown += 1;
        }
        preview.complete = preview.count < checkedFiles && performance.now() < until;
        if (!preview.complete) return looked;
      }
    }
  }
  return looked;
}

async function isUnknown({ tree }: DriveAccess, file: DriveFile): Promise<boolean> {
  // In a shared drive an empty audience is what remains of permissions that may not be listed.
  return file.driveId === undefined
    ? file.permissions === undefined
    : (await tree.audienceOf(file)).acl.allow.length === 0;
}

function readCheck(
  { config, account, userEmail, corpora }: DriveAccess,
  { count, complete }: Preview,
): CapabilityCheck {
  if (count > 0 || !complete) {
    return { capability: "read", status: "ok", message: `Documents are read as ${userEmail}.` };
  }
  const hint =
    config.user === null
      ? `Share folders with ${account.email}, or name a user to read as. ${delegationAction(account, [driveScope])}`
      : "Check the drives and the filters of this source.";
  const message = `${userEmail} has no document to read in ${corpora.length === 1 ? "this drive" : `these ${corpora.length} drives`}. ${hint}`;
  return { capability: "read", status: "warning", message };
}

function permissionCheck({ config, userEmail }: DriveAccess, { count, unknown }: Looked): CapabilityCheck {
  const links =
    config.linkSharing === "everyone"
      ? "A document that anyone with its link may open is found by everybody here."
      : "A document that is shared by link alone is found only by those who are named on it.";
  if (unknown === 0) {
    return { capability: "permissions", status: "ok", message: `Documents keep the permissions of Drive. ${links}` };
  }
  return {
    capability: "permissions",
    status: "warning",
    message: `Of ${unknown} of the first ${count} documents ${userEmail} may not see with whom they are shared, so nobody will find them. Make that user an editor of them who may share, or in a shared drive a Manager. ${links}`,
  };
}

async function checkGroups(access: DriveAccess, context: ConnectContext): Promise<CapabilityCheck> {
  const { account, config } = access;
  const directory = createDirectoryClient({ account, config, context });
  try {
    for await (const _ of listUsers(directory, 1)) break;
    for await (const _ of listGroups(directory, 1)) break;
    return { capability: "groups", status: "ok", message: "Users and groups of the Workspace are known." };
  } catch (error) {
    if (!isNotGranted(error)) throw error;
    const { message } = reportOf(error);
    return {
      capability: "groups",
      status: "warning",
      message: `Groups and domains are not resolved; only people whom a document names by address find it. ${message} ${delegationAction(account, directoryScopes)} Also name an administrator who may read users and groups, and enable the Admin SDK API in the project.`,
    };
  } finally {
    await directory.close();
  }
}

import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck, reportOf } from "../failure.ts";
import { addToPreview, describePreview, joinNames, sampleCount, type Preview } from "../preview.ts";
import { auditedPerRun } from "./audit-permissions.ts";
import { checkPeople } from "./check-people.ts";
import type { LinkSharing } from "./config.ts";
import { createDriveFeed, type DriveFeed } from "./drive-feed.ts";
import { isFile } from "./drive-items.ts";
import type { Drive } from "./drive-run.ts";
import type { Graph } from "./graph-client.ts";
import { permissionPageSchema } from "./graph-schemas.ts";
import { wasNeverPublished } from "./published-version.ts";
import type { DriveListing } from "./read-drives.ts";

const checkMs = 5_000;

/** What answers and what would be read, without reading more than the first pages. */
export async function checkDrives(
  graph: Graph,
  context: Pick<ConnectContext, "signal">,
  sharing: LinkSharing,
  listDrives: () => Promise<DriveListing>,
): Promise<CheckResult> {
  try {
    const { drives, failures } = await listDrives();
    const feed = createDriveFeed(graph);
    const preview = await previewDrives(feed, drives, context.signal);
    const checks: CapabilityCheck[] = [
      failures[0] === undefined
        ? { capability: "read", status: "ok", message: `${describeDrives(drives)} can be read.` }
        : {
            capability: "read",
            status: "warning",
            message: failures[0].error.message,
            action: failures[0].error.action,
          },
      await checkPermissions(graph, drives[0], sharing),
      await checkChanges(graph, feed),
    ];
    const people = await checkPeople(graph);
    if (people.error !== null) return { ...people, checks: [...checks, ...people.checks] };
    return {
      checks: [...checks, ...people.checks],
      summary: `${describeDrives(drives)} can be read and ${drives.length === 1 ? "holds" : "hold"} ${describePreview(preview, "file")}.`,
      error: null,
    };
  } catch (error) {
    context.signal.throwIfAborted();
    return failedCheck("read", error);
  }
}

function describeDrives(drives: readonly Drive[]): string {
  if (drives.length === 0) return "No document library";
  const names = drives.slice(0, sampleCount).map((drive) => `"${drive.name}"`);
  const rest = drives.length - names.length;
  return joinNames(rest === 0 ? names : [...names, `${rest} more`]);
}

async function previewDrives(feed: DriveFeed, drives: readonly Drive[], signal: AbortSignal): Promise<Preview> {
  const preview: Preview = { count: 0, complete: true, samples: [] };
  const until = performance.now() + checkMs;
  for (const drive of drives) {
    signal.throwIfAborted();
    if (performance.now() > until) return { ...preview, complete: false };
    const page = await feed.page(drive.id, null);
    for (const item of page.value) {
      if (isFile(item) && !item.deleted && !wasNeverPublished(item)) addToPreview(preview, item.name ?? item.id);
    }
    if (page["@odata.nextLink"]) preview.complete = false;
  }
  return preview;
}

export async function checkPermissions(
  graph: Graph,
  drive: Drive | undefined,
  { linkSharing }: LinkSharing,
): Promise<CapabilityCheck> {
  const capability = "permissions";
  if (drive === undefined) return { capability, status: "ok", message: "There is nothing whose permissions to read." };
  const isDelegated = (await graph.account()) !== null;
  try {
    const path = `drives/${encodeURIComponent(drive.id)}/root/permissions`;
    for await (const _ of graph.pages(path, permissionPageSchema)) break;
    const links =
      linkSharing === "everyone"
        ? "A document that anyone with its link may open is found by everybody here."
        : "A document that is shared by link alone is found only by those who are named on it.";
    if (!isDelegated) return { capability, status: "ok", message: `The permissions of items can be read. ${links}` };
    return {
      capability,
      status: "warning",
      message: `With delegated permission Microsoft Graph tells all readers of an item to its owners only: of others' items it names those that concern the account that signed in. Who is not named does not see the document; application permission shows them all. ${links}`,
    };
  } catch (error) {
    const { message } = reportOf(error);
    return {
      capability,
      status: "warning",
      message: `${message} Until ${isDelegated ? "the account" : "the application"} may read permissions (Sites.Read.All or Sites.FullControl.All), nobody sees the documents.`,
    };
  }
}

async function checkChanges(graph: Graph, feed: DriveFeed): Promise<CapabilityCheck> {
  const capability = "changes";
  if (feed.showsSharing()) {
    return { capability, status: "ok", message: "Changes, deletions and sharing are in Graph's feed." };
  }
  const looked = `each sync looks at the permissions of ${auditedPerRun} documents again.`;
  const message =
    (await graph.account()) === null
      ? `Graph reports changes of sharing only with Sites.FullControl.All; without it ${looked}`
      : `Graph reports changes of sharing only to an account with the delegated permission Sites.FullControl.All; without it ${looked}`;
  return { capability, status: "warning", message };
}

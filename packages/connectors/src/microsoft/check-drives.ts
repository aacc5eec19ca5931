import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck, reportOf } from "../failure.ts";
import { addToPreview, describePreview, joinNames, sampleCount, type Preview } from "../preview.ts";
import { auditedPerRun } from "./audit-permissions.ts";
import { createDriveFeed, type DriveFeed } from "./drive-feed.ts";
import { isFile } from "./drive-items.ts";
import type { Drive } from "./drive-run.ts";
import type { Graph } from "./graph-client.ts";
import { groupPageSchema, memberPageSchema, permissionPageSchema, userPageSchema } from "./graph-schemas.ts";
import { wasNeverPublished } from "./published-version.ts";
import { readVerifiedDomains } from "./read-directory.ts";
import type { DriveListing } from "./read-drives.ts";

const checkMs = 5_000;

/** What answers and what would be read, without reading more than the first pages. */
export async function checkDrives(
  graph: Graph,
  context: Pick<ConnectContext, "signal">,
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
            message: `${failures[0].error.message} ${failures[0].error.action}`,
          },
      await checkPermissions(graph, drives[0]),
      checkChanges(feed),
    ];
    try {
      await probeDirectory(graph);
    } catch (error) {
      const failed = failedCheck("people", error);
      return { ...failed, checks: [...checks, ...failed.checks] };
    }
    return {
      checks: [
        ...checks,
        { capability: "people", status: "ok", message: "The tenant's users and groups can be read." },
      ],
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

async function checkPermissions(graph: Graph, drive: Drive | undefined): Promise<CapabilityCheck> {
  const capability = "permissions";
  if (drive === undefined) return { capability, status: "ok", message: "There is nothing whose permissions to read." };
  try {
    const path = `drives/${encodeURIComponent(drive.id)}/root/permissions`;
    for await (const _ of graph.pages(path, permissionPageSchema)) break;
    return { capability, status: "ok", message: "The permissions of items can be read." };
  } catch (error) {
    const { message } = reportOf(error);
    return {
      capability,
      status: "warning",
      message: `${message} Until the application may read permissions (Sites.Read.All or Sites.FullControl.All), nobody sees the documents.`,
    };
  }
}

function checkChanges(feed: DriveFeed): CapabilityCheck {
  return feed.showsSharing()
    ? { capability: "changes", status: "ok", message: "Changes, deletions and sharing are in Graph's feed." }
    : {
        capability: "changes",
        status: "warning",
        message: `Graph reports changes of sharing only with Sites.FullControl.All; without it each sync looks at the permissions of ${auditedPerRun} documents again.`,
      };
}

/** One request of each kind that reading people and groups makes. */
export async function probeDirectory(graph: Graph): Promise<void> {
  await readVerifiedDomains(graph);
  for await (const _ of graph.pages("users", userPageSchema, { query: { $select: "id", $top: 1 } })) break;
  for await (const [group] of graph.pages("groups", groupPageSchema, { query: { $select: "id", $top: 1 } })) {
    if (group !== undefined) await graph.json(`groups/${encodeURIComponent(group.id)}/members`, memberPageSchema);
    break;
  }
}

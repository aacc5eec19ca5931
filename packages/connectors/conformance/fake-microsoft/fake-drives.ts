import { createHash } from "node:crypto";
import { sightOf, visibleDrive } from "./fake-access.ts";
import { fail, ok, page, selectionOf, type GraphAnswer, type GraphRequest } from "./fake-answers.ts";
import { readFeed } from "./fake-feed.ts";
import type { FakeDrive, FakeItem, FakeTenant } from "./fake-tenant.ts";

export function answerDrives(
  tenant: FakeTenant,
  parts: string[],
  request: GraphRequest,
  place: { origin: string; transfers: string },
): GraphAnswer {
  const [, driveId = "", what, ...rest] = parts;
  const whole = tenant.drives.get(driveId);
  if (whole === undefined || tenant.vanished) return fail(404, "itemNotFound");
  if (tenant.closedDrives.has(driveId)) return fail(403, "accessDenied");
  const sight = sightOf(tenant, request.caller.user);
  const drive = visibleDrive(whole, sight);
  if (what === "root" && rest[0] === "delta") return answerDelta(tenant, drive, request, place);
  const [itemId, relation] = what === "root" ? [drive.rootId, rest[0]] : rest;
  const item = drive.items.get(itemId ?? "");
  if (item === undefined || item.deleted) return fail(404, "itemNotFound");
  switch (relation) {
    case undefined:
      if (tenant.brokenItems.has(item.id)) return fail(500, "generalException");
      return ok(select({ ...describe(drive, item, true), ...siteOf(drive, item, place.origin) }, request));
    case "children": {
      const children = [...drive.items.values()].filter((child) => child.parentId === item.id && !child.deleted);
      return page(
        tenant,
        children.map((child) => select(describe(drive, child, true), request)),
        request,
        place,
      );
    }
    case "permissions":
      if (tenant.brokenPermissions.has(item.id)) return fail(500, "generalException");
      return page(tenant, sight.permissionsOf(item), request, place);
    case "versions":
      return answerVersions(tenant, drive, item, rest.slice(2), request, place);
    case "content":
      if (tenant.brokenContent.has(item.id)) return fail(423, "resourceLocked");
      return { status: 302, headers: { location: `${place.transfers}/${drive.id}/${item.id}` } };
    default:
      return fail(400, "invalidRequest");
  }
}

function answerDelta(
  tenant: FakeTenant,
  drive: FakeDrive,
  request: GraphRequest,
  place: { origin: string },
): GraphAnswer {
  const sharing = request.prefer.includes("deltashowsharingchanges");
  if (sharing && !request.caller.scopes.has("Sites.FullControl.All")) return fail(403, "accessDenied");
  const asked = { sharing, parents: !request.excludesParents, reader: request.caller.user };
  const feed = readFeed(tenant, drive, request.query.get("token"), asked);
  const address = `${place.origin}/v1.0/drives/${encodeURIComponent(drive.id)}/root/delta`;
  const selected = selectionOf(request);
  if (feed.stale) return { ...fail(410, "resyncChangesApplyDifferences"), headers: { location: address } };
  return ok({
    value: feed.items.map(({ item, sharedChanged }) => ({
      ...select(describe(drive, item, false), request),
      ...(sharedChanged ? { "@microsoft.graph.sharedChanged": "True" } : {}),
    })),
    ...(feed.next === null ? {} : { "@odata.nextLink": `${address}?token=${feed.next}${selected}` }),
    ...(feed.delta === null ? {} : { "@odata.deltaLink": `${address}?token=${feed.delta}${selected}` }),
  });
}

/** A driveItem; the feed leaves out parents' paths, and of what is deleted the name too. */
function describe(drive: FakeDrive, item: FakeItem, withPath: boolean): Record<string, unknown> {
  const parentReference = {
    driveId: drive.id,
    ...(item.parentId === null ? {} : { id: item.parentId }),
    ...(withPath && item.parentId !== null ? { path: `/drives/${drive.id}/root:${pathOf(drive, item.parentId)}` } : {}),
  };
  const facets = item.kind === "file" ? {} : { [item.kind]: {}, folder: { childCount: 0 } };
  if (item.deleted) {
    const was = item.kind === "file" ? { file: {} } : facets;
    return { id: item.id, parentReference, ...was, deleted: { state: "deleted" } };
  }
  return {
    id: item.id,
    name: item.name,
    parentReference,
    webUrl: `https://contoso.sharepoint.example/sites/team/${encodeURIComponent(drive.name)}${encodeURI(pathOf(drive, item.id))}`,
    size: item.content.byteLength,
    eTag: `"{${item.id}},${item.changedAt}"`,
    lastModifiedDateTime: timeOf(item),
    ...facets,
    ...(item.kind === "file"
      ? {
          publication: { level: item.checkedOut ? "checkout" : "published", versionId: item.versionId },
          file: {
            mimeType: "application/octet-stream",
            hashes: { quickXorHash: createHash("sha1").update(item.content).digest("base64") },
          },
        }
      : {}),
  };
}

function siteOf({ site }: FakeDrive, { kind }: FakeItem, origin: string): Record<string, unknown> {
  if (kind !== "root") return {};
  return { sharepointIds: { siteId: site.collectionId, siteUrl: `${origin}${site.path}` } };
}

/** Newest first, the current one among them, whose content is to be had at the item alone. */
function answerVersions(
  tenant: FakeTenant,
  drive: FakeDrive,
  item: FakeItem,
  [versionId, relation]: string[],
  request: GraphRequest,
  place: { origin: string; transfers: string },
): GraphAnswer {
  if (tenant.brokenVersions.has(item.id)) return fail(500, "generalException");
  if (versionId === undefined) {
    const versions = [...item.earlier, { id: item.versionId, content: item.content }].toReversed();
    const described = versions.map(({ id, content }) => ({ id, size: content.byteLength }));
    return page(tenant, described, request, place);
  }
  if (relation !== "content" || versionId === item.versionId) return fail(400, "invalidRequest");
  if (!item.earlier.some(({ id }) => id === versionId)) return fail(404, "itemNotFound");
  return { status: 302, headers: { location: `${place.transfers}/${drive.id}/${item.id}/${versionId}` } };
}

/** `$select`: without it everything but what comes only when it is asked for. */
function select(item: Record<string, unknown>, { query }: GraphRequest): Record<string, unknown> {
  const fields = query.get("$select")?.split(",");
  return Object.fromEntries(
    Object.entries(item).filter(([name]) =>
      fields === undefined ? name !== "publication" && name !== "sharepointIds" : fields.includes(name),
    ),
  );
}

function timeOf({ changedAt, changedAheadMs }: FakeItem): string {
  return new Date(Date.UTC(2026, 0, 1) + changedAt * 1000 + changedAheadMs).toISOString();
}

function pathOf(drive: FakeDrive, itemId: string): string {
  const item = drive.items.get(itemId);
  if (item === undefined || item.parentId === null) return "";
  return `${pathOf(drive, item.parentId)}/${item.name}`;
}

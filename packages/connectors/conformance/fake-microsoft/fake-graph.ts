import { fail, ok, page, type GraphAnswer, type GraphRequest } from "./fake-answers.ts";
import { answerDrives } from "./fake-drives.ts";
import type { FakeGroup, FakeTenant } from "./fake-tenant.ts";

/** Answers one request to Microsoft Graph v1.0. `origin` is where the service stands, `transfers` where contents are. */
export function answerGraph(
  tenant: FakeTenant,
  request: GraphRequest,
  place: { origin: string; transfers: string },
): GraphAnswer {
  const parts = request.path
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  switch (parts[0]) {
    case "organization":
      return (
        lacks(tenant, "Organization.Read.All", "Authorization_RequestDenied") ??
        ok({
          value: [
            { id: tenant.id, verifiedDomains: tenant.verifiedDomains.map((name) => ({ name, isDefault: false })) },
          ],
        })
      );
    case "users":
      if (parts[2] === "drive") return answerUserDrive(tenant, parts[1] ?? "");
      return (
        lacks(tenant, "User.Read.All", "Authorization_RequestDenied") ??
        page(tenant, [...tenant.users.values()], request, place)
      );
    case "groups":
      return answerGroups(tenant, parts, request, place);
    case "sites":
      return lacks(tenant, "Sites.Read.All", "accessDenied") ?? answerSites(tenant, parts, request, place);
    case "drives":
      return lacks(tenant, "Sites.Read.All", "accessDenied") ?? answerDrives(tenant, parts, request, place);
    case "teams":
      return answerTeams(tenant, parts, request, place);
    default:
      return fail(400, "BadRequest");
  }
}

/** "List channels", "List channel messages" (with replies expanded, some of them) and "List members of a channel". */
function answerTeams(
  tenant: FakeTenant,
  [, teamId = "", , channelId, relation, messageId]: string[],
  request: GraphRequest,
  place: { origin: string },
): GraphAnswer {
  const channels = tenant.teams.get(teamId);
  if (!tenant.scopes.has("Channel.ReadBasic.All")) return fail(403, "Forbidden");
  if (channels === undefined || tenant.vanished) return fail(404, "NotFound");
  if (channelId === undefined) {
    const list = channels.map(({ id, displayName, membershipType }) => ({ id, displayName, membershipType }));
    return page(tenant, list, request, place);
  }
  const channel = channels.find(({ id }) => id === channelId);
  if (channel === undefined) return fail(404, "NotFound");
  if (relation === "members" || relation === "allMembers") {
    if (!tenant.scopes.has("ChannelMember.Read.All")) return fail(403, "Forbidden");
    return page(tenant, channel.members, request, place);
  }
  if (!tenant.scopes.has("ChannelMessage.Read.All")) return fail(403, "Forbidden");
  if (tenant.brokenChannels.has(channel.id)) return fail(500, "InternalServerError");
  if (messageId !== undefined) {
    return page(tenant, channel.messages.find(({ id }) => id === messageId)?.replies ?? [], request, place);
  }
  const base = `${place.origin}/v1.0/teams/${teamId}/channels/${encodeURIComponent(channel.id)}`;
  const messages = channel.messages.map(({ replies, ...message }) => ({
    ...message,
    webUrl: `https://teams.example/l/message/${encodeURIComponent(channel.id)}/${message.id}`,
    replies: replies.slice(0, tenant.pageSize),
    ...(replies.length > tenant.pageSize
      ? { "replies@odata.nextLink": `${base}/messages/${message.id}/replies?$skiptoken=${tenant.pageSize}` }
      : {}),
  }));
  return page(tenant, messages, request, place);
}

function answerUserDrive(tenant: FakeTenant, name: string): GraphAnswer {
  const user = [...tenant.users.values()].find(
    ({ id, userPrincipalName }) => id === name || userPrincipalName === name,
  );
  const drive = user && tenant.drives.get(tenant.userDriveIds.get(user.id) ?? "");
  if (drive === undefined || tenant.vanished) return fail(404, "ResourceNotFound");
  return ok({ id: drive.id, name: "OneDrive", driveType: "business" });
}

function answerGroups(
  tenant: FakeTenant,
  [, id, relation]: string[],
  request: GraphRequest,
  place: { origin: string },
): GraphAnswer {
  const denied = lacks(tenant, "GroupMember.Read.All", "Authorization_RequestDenied");
  if (denied) return denied;
  const groups = [...tenant.groups.values()];
  if (id === undefined) {
    const list = groups.map(({ id: groupId, displayName, groupTypes }) => ({ id: groupId, displayName, groupTypes }));
    return page(tenant, list, request, place);
  }
  const group = groups.find((candidate) => candidate.id === id);
  if (group === undefined || (relation !== "members" && relation !== "owners"))
    return fail(404, "Request_ResourceNotFound");
  return page(
    tenant,
    group[relation].map((memberId) => toMember(groups, memberId)),
    request,
    place,
  );
}

function toMember(groups: FakeGroup[], id: string): unknown {
  const isGroup = groups.some((group) => group.id === id);
  return { "@odata.type": isGroup ? "#microsoft.graph.group" : "#microsoft.graph.user", id };
}

function answerSites(
  tenant: FakeTenant,
  parts: string[],
  request: GraphRequest,
  place: { origin: string },
): GraphAnswer {
  const siteId = `contoso.sharepoint.example,${tenant.siteCollectionId},${tenant.siteCollectionId}`;
  if (tenant.vanished) return fail(404, "itemNotFound");
  if (parts.slice(1).join("/") === "contoso.sharepoint.example:/sites/team") {
    return ok({ id: siteId, webUrl: `${place.origin}/sites/team` });
  }
  if (parts[1] !== siteId || parts[2] !== "drives") return fail(404, "itemNotFound");
  const drives = tenant.siteDriveIds.flatMap((id) => tenant.drives.get(id) ?? []);
  return page(
    tenant,
    drives.map(({ id, name }) => ({ id, name, driveType: "documentLibrary" })),
    request,
    place,
  );
}

/** SharePoint REST, `_api/web/sitegroups` of the one site; it takes no token that was had for a secret. */
export function answerSiteApi(
  tenant: FakeTenant,
  path: string,
  token: { byCertificate: boolean },
  skip: number,
  origin: string,
): GraphAnswer {
  if (!token.byCertificate) return { status: 401, body: { error_description: "Unsupported app only token." } };
  if (!tenant.scopes.has("SharePoint Sites.FullControl.All")) return { status: 403, body: {} };
  const id = /sitegroups\((\d+)\)\/users$/.exec(path)?.[1];
  const all =
    id === undefined
      ? [...tenant.siteGroups].map(([Id, { title }]) => ({ Id, Title: title }))
      : (tenant.siteGroups.get(Number(id))?.logins ?? []).map((LoginName) => ({ LoginName }));
  const to = skip + tenant.pageSize;
  return ok({
    value: all.slice(skip, to),
    ...(to < all.length ? { "odata.nextLink": `${origin}${path}?$skiptoken=${to}` } : {}),
  });
}

function lacks(tenant: FakeTenant, scope: string, code: string): GraphAnswer | null {
  return tenant.scopes.has(scope) ? null : fail(403, code);
}

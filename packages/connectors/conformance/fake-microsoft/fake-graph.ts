import { fail, ok, page, type GraphAnswer, type GraphRequest } from "./fake-answers.ts";
import { answerDrives } from "./fake-drives.ts";
import { answerTeams } from "./fake-teams.ts";
import type { Caller } from "./fake-entra.ts";
import type { FakeGroup, FakeTenant, FakeUser } from "./fake-tenant.ts";

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
        lacks(
          request,
          ["Organization.Read.All", ...ifDelegated(request, "User.Read")],
          "Authorization_RequestDenied",
        ) ??
        ok({
          value: [
            { id: tenant.id, verifiedDomains: tenant.verifiedDomains.map((name) => ({ name, isDefault: false })) },
          ],
        })
      );
    case "me":
      return answerMe(tenant, request);
    case "users":
      if (parts[2] === "drive") return answerUserDrive(tenant, parts[1] ?? "", request);
      return (
        lacks(request, ["User.Read.All", "User.ReadBasic.All"], "Authorization_RequestDenied") ??
        page(
          tenant,
          [...tenant.users.values()].map((user) => visible(selected(user, request), request)),
          request,
          place,
        )
      );
    case "groups":
      return answerGroups(tenant, parts, request, place);
    case "sites":
      return lacks(request, ["Sites.Read.All"], "accessDenied") ?? answerSites(tenant, parts, request, place);
    case "drives":
      return lacks(request, fileScopes, "accessDenied") ?? answerDrives(tenant, parts, request, place);
    case "teams":
      return answerTeams(tenant, parts, request, place);
    default:
      return fail(400, "BadRequest");
  }
}

function answerUserDrive(tenant: FakeTenant, name: string, request: GraphRequest): GraphAnswer {
  const refused = request.caller.user === null ? null : lacks(request, fileScopes, "accessDenied");
  if (refused) return refused;
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
  const denied = lacks(request, ["GroupMember.Read.All"], "Authorization_RequestDenied");
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
  query: URLSearchParams,
  caller: Caller,
  origin: string,
): GraphAnswer {
  if (!caller.byCertificate) return { status: 401, body: { error_description: "Unsupported app only token." } };
  if (!tenant.scopes.has("SharePoint Sites.FullControl.All")) return { status: 403, body: {} };
  const groups = tenant.groupsOfSites.get(path.slice(0, path.indexOf("/_api/"))) ?? tenant.siteGroups;
  const id = /sitegroups\((\d+)\)\/users$/.exec(path)?.[1];
  const all =
    id === undefined
      ? [...groups].map(([Id, { title }]) => ({ Id, Title: title }))
      : (groups.get(Number(id))?.logins ?? []).map((LoginName) => describeSiteUser(tenant, LoginName, query));
  const skip = Number(query.get("$skiptoken") ?? 0);
  const to = skip + tenant.pageSize;
  return ok({
    value: all.slice(skip, to),
    ...(to < all.length
      ? { "odata.nextLink": `${origin}${path}?$select=${query.get("$select") ?? ""}&$skiptoken=${to}` }
      : {}),
  });
}

/** "SP.User": who it was when it was put into the group, whoever has its name by now. */
function describeSiteUser(tenant: FakeTenant, LoginName: string, query: URLSearchParams) {
  if (!query.get("$select")?.split(",").includes("AadObjectId")) return { LoginName };
  const name = /\|membership\|(.+)$/.exec(LoginName)?.[1]?.toLowerCase();
  const user = [...tenant.users.values()].find(({ userPrincipalName }) => userPrincipalName === name);
  const NameId = tenant.formerAccounts.get(LoginName) ?? user?.id;
  return {
    LoginName,
    AadObjectId: NameId === undefined ? null : { NameId, NameIdIssuer: "urn:federation:microsoftonline" },
  };
}

const fileScopes = ["Sites.Read.All", "Files.Read.All"];

/** @param sufficient any of these permissions */
function lacks({ caller }: GraphRequest, sufficient: readonly string[], code: string): GraphAnswer | null {
  return sufficient.some((scope) => caller.scopes.has(scope)) ? null : fail(403, code);
}

function ifDelegated({ caller }: GraphRequest, scope: string): string[] {
  return caller.user === null ? [] : [scope];
}

function selected(user: FakeUser, { query }: GraphRequest): Partial<FakeUser> {
  const fields = query.get("$select")?.split(",");
  return Object.fromEntries(Object.entries(user).filter(([name]) => fields === undefined || fields.includes(name)));
}

/** User.ReadBasic.All: a basic profile of everybody, whatever else is asked for. */
function visible(user: Partial<FakeUser>, { caller }: GraphRequest): Partial<FakeUser> {
  if (caller.scopes.has("User.Read.All")) return user;
  const basic = new Set(["id", "displayName", "mail", "userPrincipalName"]);
  return Object.fromEntries(Object.entries(user).filter(([name]) => basic.has(name)));
}

function answerMe(tenant: FakeTenant, request: GraphRequest): GraphAnswer {
  const user = tenant.users.get(request.caller.user ?? "");
  // "/me request is only valid with delegated authentication flow."
  if (user === undefined) return fail(400, "BadRequest");
  return lacks(request, ["User.Read"], "Authorization_RequestDenied") ?? ok(selected(user, request));
}

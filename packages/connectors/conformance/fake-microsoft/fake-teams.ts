import { fail, ok, page, type GraphAnswer, type GraphRequest } from "./fake-answers.ts";
import type { Caller } from "./fake-entra.ts";
import { answerMessageFeed, describeMessage } from "./fake-message-feed.ts";
import type { FakeChannel, FakeTenant } from "./fake-tenant.ts";

/**
 * "List channels", "List channel messages" (with replies expanded, some of them), "Get chatMessage", "List replies",
 * "chatMessage: delta", "List members of a channel" and "Get filesFolder".
 */
export function answerTeams(
  tenant: FakeTenant,
  [, teamId = "", , channelId, relation, messageId, ofMessage]: string[],
  request: GraphRequest,
  place: { origin: string },
): GraphAnswer {
  const { scopes } = request.caller;
  const channels = channelsFor(tenant, teamId, request.caller);
  if (!scopes.has("Channel.ReadBasic.All")) return fail(403, "Forbidden");
  if (channels === undefined || tenant.vanished) return fail(404, "NotFound");
  if (channelId === undefined) {
    if (tenant.garbled.has(teamId)) return ok({ value: [{ id: null }] });
    const namesAll = request.prefer.includes("include-unknown-enum-members");
    const list = channels.map(({ id, displayName, membershipType: type, createdDateTime }) => {
      const membershipType = type === "shared" && !namesAll ? "unknownFutureValue" : type;
      return { id, displayName, membershipType, createdDateTime };
    });
    return page(tenant, list, request, place);
  }
  const channel = channels.find(({ id }) => id === channelId);
  if (channel === undefined) return fail(404, "NotFound");
  if (relation === "members" || relation === "allMembers") {
    if (!scopes.has("ChannelMember.Read.All") || tenant.brokenMembers.has(channel.id)) return fail(403, "Forbidden");
    return page(tenant, channel.members, request, place);
  }
  if (relation === "filesFolder") return answerFilesFolder(tenant, channel, request);
  if (!scopes.has("ChannelMessage.Read.All")) return fail(403, "Forbidden");
  if (tenant.brokenChannels.has(channel.id)) return fail(500, "InternalServerError");
  const base = `${place.origin}/v1.0/teams/${teamId}/channels/${encodeURIComponent(channel.id)}`;
  if (messageId === "delta") return answerMessageFeed(tenant, channel, request, `${base}/messages/delta`);
  if (messageId !== undefined) {
    const message = channel.messages.find(({ id }) => id === messageId);
    if (tenant.brokenMessages.has(messageId)) return fail(500, "InternalServerError");
    if (message === undefined) return fail(404, "NotFound");
    if (tenant.garbled.has(messageId)) return ok({ value: null });
    if (ofMessage !== "replies") return ok(describeMessage(channel, message, null));
    if (tenant.lostReplies.has(messageId)) return fail(404, "NotFound");
    const replies = message.replies.map((reply) => describeMessage(channel, reply, message.id));
    return page(tenant, replies, request, place);
  }
  if (tenant.garbled.has(channel.id)) return ok({ value: [{ id: null }] });
  // The one that was changed last comes first.
  const newestFirst = tenant.lists.of(`messages of ${channel.id}`, () =>
    channel.messages.toSorted((a, b) => Date.parse(b.lastModifiedDateTime) - Date.parse(a.lastModifiedDateTime)),
  );
  return page(tenant, newestFirst, request, place, (message) => ({
    ...describeMessage(channel, message, null),
    replies: message.replies.slice(0, tenant.pageSize).map((reply) => describeMessage(channel, reply, message.id)),
    ...(message.replies.length > tenant.pageSize
      ? { "replies@odata.nextLink": `${base}/messages/${message.id}/replies?$skiptoken=${tenant.pageSize}` }
      : {}),
  }));
}

/** An account sees the channels of its teams, and those private and shared ones that it is in. */
function channelsFor(tenant: FakeTenant, teamId: string, { user }: Caller): FakeChannel[] | undefined {
  const channels = tenant.teams.get(teamId);
  if (user === null) return channels;
  const userId = tenant.users.get(user)?.id ?? "";
  const team = [...tenant.groups.values()].find(({ id }) => id === teamId);
  if (!team?.members.includes(userId)) return undefined;
  return channels?.filter(
    ({ membershipType, members }) => membershipType === "standard" || members.some((each) => each.userId === userId),
  );
}

function answerFilesFolder(tenant: FakeTenant, channel: FakeChannel, { caller }: GraphRequest): GraphAnswer {
  if (!["Files.Read.All", "Sites.Read.All"].some((scope) => caller.scopes.has(scope))) return fail(403, "Forbidden");
  if (tenant.brokenFolders.has(channel.id)) return fail(500, "InternalServerError");
  if (tenant.garbledFolders.has(channel.id)) return ok({ id: null });
  const drive = tenant.drives.get(channel.files?.driveId ?? "");
  const folder = drive?.items.get(channel.files?.folderId ?? "");
  if (drive === undefined || folder === undefined || folder.deleted || tenant.deniedFolders.has(channel.id)) {
    return fail(404, "ItemNotFound");
  }
  return ok({
    id: folder.id,
    name: folder.name,
    parentReference: { driveId: drive.id, driveType: "documentLibrary" },
    folder: { childCount: 0 },
    ...(folder.kind === "root" ? { root: {} } : {}),
  });
}

import { z } from "zod";
import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck, reportOf } from "../failure.ts";
import { addToPreview, describePreview, joinNames, type Preview } from "../preview.ts";
import type { SlackConfig, SlackSecrets } from "./config.ts";
import { usersSchema } from "./directory.ts";
import { emailsOf, isPerson } from "./people.ts";
import { createSlackClient, type SlackClient } from "./slack-client.ts";
import { listChannels, notInChannel, openWorkspace, type Channel, type Workspace } from "./workspace.ts";

const anySchema = z.looseObject({});
/** Who has no address among these tells of the scope, not of the person. */
const checkedPeople = 20;

/** Tries each scope with the smallest request that needs it. */
export async function checkSlack(
  config: SlackConfig,
  secrets: SlackSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  const client = createSlackClient(config, secrets, context);
  const checks: CapabilityCheck[] = [];
  let capability = "read";
  try {
    const workspace = await openWorkspace(client);
    const { channels, unknown } = await listChannels(client, config);
    await probeHistory(client, channels);
    const preview: Preview = { count: 0, complete: true, samples: [] };
    for (const { name } of channels) addToPreview(preview, `#${name}`);
    const [firstUnknown] = unknown;
    checks.push(
      firstUnknown === undefined
        ? { capability, status: "ok", message: `The app reads ${describePreview(preview, "channel")}.` }
        : {
            capability,
            status: "warning",
            message: `Not read: ${joinNames(unknown.map((call) => `#${call}`))}. ${notInChannel(firstUnknown).action}`,
          },
    );
    capability = "permissions";
    checks.push(await checkPermissions(client, workspace, channels));
    checks.push({
      capability: "changes",
      status: "ok",
      message: `Each sync reads the last ${config.rereadDays} days again. Edits, deletions and replies in what is older show after one of ${config.completeEvery} syncs, which reads everything.`,
    });
    const summary = `Workspace "${workspace.name}" can be read: ${describePreview(preview, "channel")}.`;
    return { checks, summary, error: null };
  } catch (error) {
    context.signal.throwIfAborted();
    const failed = failedCheck(capability, error);
    return { ...failed, checks: [...checks, ...failed.checks] };
  } finally {
    await client.close();
  }
}

/** channels:history and groups:history are two scopes. */
async function probeHistory(client: SlackClient, channels: readonly Channel[]): Promise<void> {
  for (const isPrivate of [false, true]) {
    const channel = channels.find((candidate) => candidate.isPrivate === isPrivate);
    if (channel === undefined) continue;
    await client.call("conversations.history", anySchema, { channel: channel.id, limit: 1 });
  }
}

async function checkPermissions(
  client: SlackClient,
  workspace: Workspace,
  channels: readonly Channel[],
): Promise<CapabilityCheck> {
  const capability = "permissions";
  let people = 0;
  let addressed = 0;
  for await (const { members } of client.pages("users.list", usersSchema)) {
    for (const user of members.filter((member) => isPerson(member, workspace))) {
      people += 1;
      addressed += emailsOf(user).length;
    }
    if (people >= checkedPeople) break;
  }
  const [channel] = channels;
  try {
    if (channel) await client.call("conversations.members", anySchema, { channel: channel.id, limit: 1 });
  } catch (error) {
    const { message, action } = reportOf(error);
    return {
      capability,
      status: "warning",
      message: `Members of #${channel?.name} are not shown. ${message}`,
      action,
    };
  }
  if (people > 0 && addressed === 0) {
    return {
      capability,
      status: "warning",
      message:
        "Slack gives no e-mail address, so nobody of the portal is recognised and nobody sees the messages. Add the scope users:read.email under Bot Token Scopes and reinstall the app.",
    };
  }
  return {
    capability,
    status: "ok",
    message:
      "A private channel is shown to its members, a public one to every full member of the workspace and to the guests in it.",
  };
}

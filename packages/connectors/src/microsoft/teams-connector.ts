import { defineConnector, type CheckResult, type ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { addToPreview, describePreview, type Preview } from "../preview.ts";
import { probeDirectory } from "./check-drives.ts";
import { microsoftSecretSchema, teamsConfigSchema, type MicrosoftSecrets, type TeamsConfig } from "./config.ts";
import { createGraph, type Graph } from "./graph-client.ts";
import { listChannels, readChannelMembers, readChannels, readThreads } from "./read-channels.ts";
import { readTenantDirectory } from "./read-directory.ts";

export const teamsConnector = defineConnector<TeamsConfig, MicrosoftSecrets>({
  kind: "teams",
  title: "Microsoft Teams",
  changeModel: "full-listing",
  // A message stays where it was written.
  capabilities: { permissions: true, deletions: true, moves: false },
  directory: "vendor",
  configSchema: teamsConfigSchema,
  secretSchema: microsoftSecretSchema,

  async check(config, secrets, context) {
    const graph = createGraph(config, secrets, context);
    try {
      return await checkTeams(graph, config, context);
    } finally {
      await graph.close();
    }
  },

  async *read({ config, secrets, known, context }) {
    const graph = createGraph(config, secrets, context);
    try {
      yield* readChannels({ known, context }, graph, await listChannels(graph, config));
    } finally {
      await graph.close();
    }
  },

  async *readDirectory({ config, secrets, context }) {
    const graph = createGraph(config, secrets, context);
    try {
      yield* readTenantDirectory(graph);
      yield* readChannelMembers(graph, (await listChannels(graph, config)).channels);
    } finally {
      await graph.close();
    }
  },
});

const checkMs = 5_000;

async function checkTeams(graph: Graph, config: TeamsConfig, context: ConnectContext): Promise<CheckResult> {
  try {
    const { channels, failures } = await listChannels(graph, config);
    const preview: Preview = { count: 0, complete: true, samples: [] };
    const until = performance.now() + checkMs;
    for (const channel of channels) {
      if (performance.now() > until) preview.complete = false;
      if (!preview.complete) break;
      for await (const threads of readThreads(graph, channel)) {
        for (const { document } of threads) addToPreview(preview, `“${document.title}”`);
        preview.complete &&= performance.now() < until;
        if (!preview.complete) break;
      }
    }
    const place = `${channels.length} ${channels.length === 1 ? "channel" : "channels"}`;
    const [failure] = failures;
    const people = await checkPeople(graph);
    const read = failure
      ? ({
          capability: "read",
          status: "warning",
          message: `${failure.error.message} ${failure.error.action}`,
        } as const)
      : ({ capability: "read", status: "ok", message: `The messages of ${place} can be read.` } as const);
    if (people.error !== null) return { ...people, checks: [read, ...people.checks] };
    return {
      checks: [
        read,
        {
          capability: "permissions",
          status: "ok",
          message: "Who is in a channel may read it: its team, or the members of a private or shared one.",
        },
        ...people.checks,
      ],
      summary: `${place} can be read, with ${describePreview(preview, "thread")}.`,
      error: null,
    };
  } catch (error) {
    context.signal.throwIfAborted();
    return failedCheck("read", error);
  }
}

async function checkPeople(graph: Graph): Promise<CheckResult> {
  try {
    await probeDirectory(graph);
    const message = "The tenant's users and groups can be read.";
    return { checks: [{ capability: "people", status: "ok", message }], summary: "", error: null };
  } catch (error) {
    return failedCheck("people", error);
  }
}

import { AnnealError } from "@anneal/core/errors";
import { repoDir } from "@anneal/local-stack/environment";
import type { Command } from "commander";
import { z } from "zod";
import type { Env } from "../env.ts";
import { exitCodesHelp } from "../exit-codes.ts";
import type { PortalClient } from "../portal/client.ts";
import { addPortalOptions, requirePortal, type PortalOptions } from "../portal/find-portal.ts";
import { addSource } from "./add-source.ts";
import { checkAndPrint } from "./print-check.ts";
import { listDeleted, restoreDocuments, type RestoreDocumentsOptions } from "./deleted-documents.ts";
import { describeKind } from "./describe-kind.ts";
import { editSource, type EditSourceOptions } from "./edit-source.ts";
import { findSource, listSources } from "./find-source.ts";
import { formatSource } from "./format-source.ts";
import { indexSource, readSource } from "./index-source.ts";
import { describeNewConnector, writeConnector } from "./new-connector.ts";
import { removeSource } from "./remove-source.ts";
import { restoreSource } from "./restore-source.ts";
import { signIn, wantsSignIn } from "./sign-in.ts";
import { printFailures } from "./source-failures.ts";
import { listKinds, requireKind } from "./source-kinds.ts";
import { addAccessOptions, collect, type SourceOptions } from "./source-options.ts";

type SteerOptions = PortalOptions & { schedule?: boolean };
type IndexOption = { index?: boolean };

const indexOption = ["--index", "then parse and index what was read, without training, and follow that too"] as const;

const followingHelp = `\n${exitCodesHelp}`;

/**
 * `anneal connect`: what the portal's pages of sources do, for scripts.
 *
 * @param codeDir where `connect new` writes
 */
export function addConnectCommand(program: Command, env: Env, codeDir = repoDir): void {
  const connect = program
    .command("connect")
    .description("Add sources, try them and read them.")
    .addHelpText("after", followingHelp);
  const command = (usage: string, description: string) =>
    addPortalOptions(connect.command(usage), env).description(description);

  command("kinds [kind]", "what can be connected; of one kind, every field it takes and an example").action(
    async (kind: string | undefined, options: PortalOptions) => printKinds(await requirePortal(env, options), kind),
  );
  command("list", "the sources of the workspace, each with its state, its last read and its schedule").action(
    async (options: PortalOptions) => {
      const sources = await listSources(await requirePortal(env, options));
      if (sources.length === 0) console.log("There is no source yet: add one with `anneal connect add <kind>`.");
      for (const source of sources) console.log(formatSource(source));
    },
  );
  addAccessOptions(command("add <kind>", "try a source and, when it can be read, add it"))
    .option("--name <name>", "what to call it; default: its kind and place")
    .option(
      "--audience <who>",
      "the default audience, who reads documents without permissions of their own: members or nobody (default)",
    )
    .option("--schedule <cron>", "when to read it by itself, such as “0 * * * *” or “@every 30m”")
    .option("--dry-run", "try it and say what would be added; nothing is saved")
    .action(async (kind: string, options: PortalOptions & SourceOptions) =>
      addSource(await requirePortal(env, options), kind, options, { env }),
    );
  addAccessOptions(
    command(
      "edit <name>",
      "change what is given of a source and leave the rest; credentials that are given take the place of all it has",
    ),
  )
    .option("--unset <field>", "a setting that is to be as in a new source; can be repeated", collect)
    .option("--name <name>", "what to call it from now on")
    .option(
      "--audience <who>",
      "the default audience, who reads documents without permissions of their own: members or nobody",
    )
    .option("--schedule <cron>", "when to read it by itself, such as “0 * * * *” or “@every 30m”")
    .option("--no-schedule", "read it by hand only")
    .option("--dry-run", "try it and say what would change; nothing is saved")
    .action(async (name: string, options: PortalOptions & EditSourceOptions) => {
      const portal = await requirePortal(env, options);
      await editSource(portal, await findSource(portal, name), options, { env });
    });
  command("check <name>", "try a source again").action(async (name: string, options: PortalOptions) => {
    const portal = await requirePortal(env, options);
    const { id } = await findSource(portal, name);
    await checkAndPrint(portal, "connect.check", { sourceId: id });
  });
  command("sign-in <name>", "sign in again for a source that reads with a person's account").action(
    async (name: string, options: PortalOptions) => signInAgain(await requirePortal(env, options), name),
  );
  command("sync <name>", "read what has changed, and follow it to its end")
    .option("--confirm-deletions", "let it delete more documents than is usual")
    .option(...indexOption)
    .addHelpText("after", followingHelp)
    .action(async (name: string, options: PortalOptions & IndexOption & { confirmDeletions?: boolean }) => {
      const portal = await requirePortal(env, options);
      const source = await findSource(portal, name);
      const { confirmDeletions = false } = options;
      const sync = () => portal.mutate("connect.sync", { sourceId: source.id, confirmDeletions }, z.unknown());
      process.exitCode = await readSource(portal, source, sync, options);
    });
  command(
    "index [name]",
    "parse and index what was read of a source, without training; without a name, of all sources",
  ).action(async (name: string | undefined, options: PortalOptions) => {
    const portal = await requirePortal(env, options);
    process.exitCode = await indexSource(portal, name === undefined ? null : await findSource(portal, name));
  });
  command("pause <name>", "let a sync stop at its next checkpoint; “resume” goes on from there")
    .option("--schedule", "pause its schedule instead: it does not fire until it is resumed")
    .action(async (name: string, options: SteerOptions) => {
      const portal = await requirePortal(env, options);
      const { id: sourceId } = await findSource(portal, name);
      if (options.schedule) return setSchedulePaused(portal, name, sourceId, true);
      await portal.mutate("connect.pause", { sourceId }, z.unknown());
      console.log(`✓ The sync of “${name}” pauses at its next checkpoint.`);
    });
  command("resume <name>", "go on with a paused sync from its checkpoint, and follow it to its end")
    .option("--schedule", "resume its schedule instead")
    .option(...indexOption)
    .addHelpText("after", followingHelp)
    .action(async (name: string, options: SteerOptions & IndexOption) => {
      const portal = await requirePortal(env, options);
      const source = await findSource(portal, name);
      const { id: sourceId } = source;
      if (options.schedule) return setSchedulePaused(portal, name, sourceId, false);
      const resume = () => portal.mutate("connect.resume", { sourceId }, z.unknown());
      process.exitCode = await readSource(portal, source, resume, options);
    });
  command("cancel <name>", "end a sync that reads or is paused; what it has read stays").action(
    async (name: string, options: PortalOptions) => {
      const portal = await requirePortal(env, options);
      const { id: sourceId } = await findSource(portal, name);
      await portal.mutate("connect.cancel", { sourceId }, z.unknown());
      console.log(`✓ The sync of “${name}” is cancelled; the next one goes on from its last checkpoint.`);
    },
  );
  command(
    "failures <name>",
    "what of a source could not be read, and what the rules leave out, each with the reason",
  ).action(async (name: string, options: PortalOptions) => {
    const portal = await requirePortal(env, options);
    await printFailures(portal, await findSource(portal, name));
  });
  command("retry <name>", "read again all that could not be read, and follow it to its end")
    .option(...indexOption)
    .addHelpText("after", followingHelp)
    .action(async (name: string, options: PortalOptions & IndexOption) => {
      const portal = await requirePortal(env, options);
      const source = await findSource(portal, name);
      const retry = () => portal.mutate("connect.retry", { sourceId: source.id }, z.unknown());
      process.exitCode = await readSource(portal, source, retry, options);
    });
  command("deleted <name>", "what a source deleted and can still be restored, the newest deletion first")
    .option("--search <text>", "only what has it in its title or path")
    .action(async (name: string, options: PortalOptions & { search?: string }) => {
      const portal = await requirePortal(env, options);
      await listDeleted(portal, await findSource(portal, name), options);
    });
  command("restore-documents <name> [paths...]", "take back documents that a source deleted, as “deleted” lists them")
    .option("--all", "all of them")
    .option("--search <text>", "with --all: only what has it in its title or path")
    .option("--until <time>", "with --all: only what was deleted until then, as “deleted” says it of its list")
    .action(async (name: string, paths: string[], options: PortalOptions & RestoreDocumentsOptions) => {
      const portal = await requirePortal(env, options);
      await restoreDocuments(portal, await findSource(portal, name), paths, options);
    });
  command("remove <name>", "remove a source with its documents; “restore” takes it back")
    .option("--yes", "do not ask first")
    .action(async (name: string, options: PortalOptions & { yes?: boolean }) => {
      const portal = await requirePortal(env, options);
      await removeSource(portal, await findSource(portal, name), options);
    });
  command("restore [name]", "take a removed source back, with its documents; without a name, list what can be").action(
    async (name: string | undefined, options: PortalOptions) => restoreSource(await requirePortal(env, options), name),
  );
  connect
    .command("new <name>")
    .description("write a connector of your own into this repository, with a test that passes")
    .action(async (name: string) => console.log(describeNewConnector(await writeConnector(codeDir, name))));
}

async function printKinds(portal: PortalClient, wanted: string | undefined): Promise<void> {
  const kinds = await listKinds(portal);
  if (wanted !== undefined) return console.log(describeKind(requireKind(kinds, wanted)).join("\n"));
  for (const { kind, title, description } of kinds) console.log(`${kind.padEnd(14)} ${title}: ${description}`);
  console.log("\n`anneal connect kinds <kind>` lists what one asks for, with an example.");
}

const storedSchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  config: z.record(z.string(), z.unknown()),
  audience: z.string(),
  schedule: z.string().nullable(),
});

/** Everything else of the source stays as it is. */
async function signInAgain(portal: PortalClient, wanted: string): Promise<void> {
  const { id: sourceId } = await findSource(portal, wanted);
  const [stored, kinds] = await Promise.all([
    portal.query("connect.get", { sourceId }, storedSchema),
    listKinds(portal),
  ]);
  const { name, kind, config, audience, schedule } = stored;
  const found = requireKind(kinds, kind);
  if (!wantsSignIn(found.signIn, config)) {
    throw new AnnealError("INVALID_INPUT", `“${name}” does not read with a person's account.`, {
      action: `Pass its credentials to \`anneal connect edit ${JSON.stringify(name)} --secret …\`.`,
    });
  }
  const signInId = await signIn(portal, { kind, config, sourceId });
  await checkAndPrint(portal, "connect.checkDraft", { kind, config, signInId, sourceId });
  await portal.mutate("connect.update", { sourceId, name, kind, config, audience, schedule, signInId }, z.unknown());
  console.log(`✓ “${name}” reads with this account from now on.`);
}

async function setSchedulePaused(portal: PortalClient, name: string, sourceId: string, paused: boolean): Promise<void> {
  await portal.mutate("connect.setSchedulePaused", { sourceId, paused }, z.unknown());
  console.log(`✓ The schedule of “${name}” ${paused ? "is paused" : "goes on"}.`);
}

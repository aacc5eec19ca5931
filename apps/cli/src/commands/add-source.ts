import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { wordAudience, wordSetting } from "./describe-field.ts";
import { checkAndPrint } from "./print-check.ts";
import { signIn, wantsSignIn } from "./sign-in.ts";
import type { SourceFile } from "./source-file.ts";
import { listKinds, requireKind, type SourceKind } from "./source-kinds.ts";
import { readSourceOptions, type SourceOptions, type Surroundings } from "./source-options.ts";

/** A portal of before does not say whether there may be documents without permissions of their own. */
const createdSchema = z.object({ mayLackReaders: z.boolean().default(true) });
const listedSchema = z.array(z.object({ name: z.string() }));

/**
 * Tries a source and adds it when it can be read; with `dryRun` says what would be added and leaves everything as it is.
 * @throws AnnealError that says why it cannot be read or added
 */
export async function addSource(
  portal: PortalClient,
  wanted: string,
  options: SourceOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { say = console.log } = surroundings;
  const kind = requireKind(await listKinds(portal), wanted);
  const given = await readSourceOptions(kind, options, surroundings);
  const { config, secrets } = given;
  const place = Object.values(config).find((each) => typeof each === "string") ?? "";
  const source = {
    name: given.name ?? `${kind.title} ${place}`.trim(),
    audience: given.audience ?? "nobody",
    schedule: given.schedule ?? null,
  };
  await refuseTakenName(portal, source.name);
  const signsIn = wantsSignIn(kind.signIn, config);
  const credentials = signsIn ? { signInId: await signIn(portal, { kind: kind.kind, config }, say) } : { secrets };
  const access = { kind: kind.kind, config, ...credentials };
  // With what is saved beside it, so that a dry run refuses what saving would.
  await checkAndPrint(portal, "connect.checkDraft", { ...access, ...source }, say);
  if (options.dryRun) {
    for (const line of describeSource(kind, { ...source, config, secrets: signsIn ? {} : secrets })) say(line);
    return;
  }
  const { mayLackReaders } = await portal.mutate("connect.create", { ...access, ...source }, createdSchema);
  if (given.audience === undefined && mayLackReaders)
    say("Documents without permissions of their own are shown to nobody; --audience members shows them to everyone.");
  const sync = `anneal connect sync ${JSON.stringify(source.name)} --index`;
  say(`✓ “${source.name}” is added. \`${sync}\` reads it and makes it findable.`);
}

type Described = Pick<SourceFile, "config" | "secrets"> & { name: string; audience: string; schedule: string | null };

/** Credentials by their names alone. */
function describeSource(kind: SourceKind, { name, config, secrets, audience, schedule }: Described): string[] {
  const { properties = {} } = kind.config;
  const settings = Object.entries(config).map(
    ([field, value]) => `  ${field}: ${wordSetting(value, properties[field])}`,
  );
  const given = Object.keys(secrets);
  return [
    `Nothing is saved. Without --dry-run this would be added as “${name}” (${kind.title}):`,
    ...settings,
    `  credentials: ${given.length === 0 ? "none" : given.join(", ")}`,
    `  default audience: ${wordAudience(audience)}`,
    `  schedule: ${schedule ?? "none"}`,
  ];
}

/** The portal refuses it too, but only once the source has been tried. */
export async function refuseTakenName(portal: PortalClient, name: string): Promise<void> {
  const listed = await portal.query("connect.list", undefined, listedSchema);
  if (!listed.some((each) => each.name === name)) return;
  throw new AnnealError("CONFLICT", `There is a source named “${name}” already.`, {
    action: "Choose another with --name.",
  });
}

import { isAsked } from "@anneal/core/connect/asked-field";
import { withheldSentence } from "@anneal/core/deploy/withheld-sentence";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { refuseTakenName } from "./add-source.ts";
import { wordAudience, wordSetting } from "./describe-field.ts";
import { checkAndPrint } from "./print-check.ts";
import { signIn, wantsSignIn } from "./sign-in.ts";
import { listKinds, requireKind, type SourceKind } from "./source-kinds.ts";
import { readSourceOptions, type SourceOptions, type Surroundings } from "./source-options.ts";

export type EditSourceOptions = SourceOptions & {
  /** Settings that are as in a new source from now on. */
  unset?: string[];
};

const storedSchema = z.object({
  name: z.string(),
  kind: z.string(),
  config: z.record(z.string(), z.unknown()),
  hasSecrets: z.boolean(),
  audience: z.enum(["members", "nobody"]),
  schedule: z.string().nullable(),
});
type StoredSource = z.infer<typeof storedSchema>;

const savedSchema = z.object({
  // A portal of before does not say.
  isElsewhere: z.boolean().default(false),
  hasOtherReaders: z.boolean().default(false),
  hasOtherPeople: z.boolean().default(false),
  withheld: z
    .array(z.object({ name: z.string(), version: z.number(), documents: z.number(), people: z.array(z.string()) }))
    .default([]),
});

/**
 * Changes what was given of a source; all else stays, credentials included. Where it is or how to get in is tried first. With
 * `dryRun` says what would change and leaves everything as it is.
 * @throws AnnealError that says why it cannot be read or changed
 */
export async function editSource(
  portal: PortalClient,
  { id: sourceId }: { id: string },
  options: EditSourceOptions,
  surroundings: Surroundings,
): Promise<void> {
  const { say = console.log } = surroundings;
  const [stored, kinds] = await Promise.all([
    portal.query("connect.get", { sourceId }, storedSchema),
    listKinds(portal),
  ]);
  const kind = requireKind(kinds, stored.kind);
  const given = await readSourceOptions(kind, options, surroundings);
  const unset = readUnset(options.unset ?? [], kind);
  const changesConfig = Object.keys(given.config).length + unset.length > 0;
  const givesSecrets = Object.keys(given.secrets).length > 0;
  const isNothing = [given.name, given.audience, given.schedule].every((each) => each === undefined);
  if (isNothing && !changesConfig && !givesSecrets)
    throw new AnnealError("INVALID_INPUT", `Nothing was given to change of “${stored.name}”.`, {
      action: `Pass what changes, such as --set field=value; \`anneal connect kinds ${kind.kind}\` lists the fields.`,
    });

  const config = changesConfig ? changeConfig(stored.config, given.config, unset, kind) : stored.config;
  const changed = {
    name: given.name ?? stored.name,
    audience: given.audience ?? stored.audience,
    schedule: given.schedule === undefined ? stored.schedule : given.schedule,
  };
  if (changed.name !== stored.name) await refuseTakenName(portal, changed.name);
  const signsIn = wantsSignIn(kind.signIn, config);
  if (signsIn && givesSecrets)
    throw new AnnealError("INVALID_INPUT", `“${stored.name}” reads with a person's account and takes no credentials.`, {
      action: `Leave them out; \`anneal connect sign-in ${JSON.stringify(stored.name)}\` signs in again.`,
    });
  const signsInAnew = signsIn && !keepsSignIn(stored, config, kind);
  const source = { sourceId, kind: kind.kind, config };
  const access = {
    ...source,
    ...(signsInAnew ? { signInId: await signIn(portal, source, say) } : {}),
    // Left out, the stored ones stay.
    ...(givesSecrets ? { secrets: given.secrets } : {}),
  };
  // A source that cannot be read for now can still be renamed, and closed to its readers.
  if (changesConfig || givesSecrets || options.dryRun)
    await checkAndPrint(portal, "connect.checkDraft", { ...access, ...changed }, say);
  if (options.dryRun) {
    for (const line of describeChange(kind, stored, { ...changed, config }, Object.keys(given.secrets))) say(line);
    return;
  }
  const saved = await portal.mutate("connect.update", { ...access, ...changed }, savedSchema);
  say(`✓ “${changed.name}” is changed. It counts from the next read.`);
  if (saved.isElsewhere)
    say(
      "! It leads elsewhere, or may by its new credentials: documents without permissions of their own are hidden until they are read there.",
    );
  if (saved.hasOtherReaders)
    say(
      "! Other settings say now who reads documents: what was read with the old ones is hidden until it is read again.",
    );
  if (saved.hasOtherPeople)
    say(
      "! Other settings say now who people are: documents that refuse somebody are hidden until they are read again.",
    );
  for (const each of saved.withheld) say(`! ${withheldSentence(each)}`);
}

function readUnset(fields: string[], { config: { properties = {} } }: SourceKind): string[] {
  const unknown = fields.find((field) => !Object.hasOwn(properties, field));
  if (unknown === undefined) return fields;
  throw new AnnealError("INVALID_INPUT", `--unset ${unknown} names no field of this kind.`, {
    action: `Use: ${Object.keys(properties).join(", ")}.`,
  });
}

/** As the portal's form: what is stored and no longer asked for with the new settings is not sent. */
function changeConfig(
  stored: Record<string, unknown>,
  given: Record<string, unknown>,
  unset: readonly string[],
  { config: { properties = {} } }: SourceKind,
): Record<string, unknown> {
  const isKept = ([field]: [string, unknown]) => !unset.includes(field) || Object.hasOwn(given, field);
  const config = Object.fromEntries(Object.entries({ ...stored, ...given }).filter(isKept));
  const isSent = ([field]: [string, unknown]) =>
    Object.hasOwn(given, field) || isAsked(properties[field] ?? {}, config, properties);
  return Object.fromEntries(Object.entries(config).filter(isSent));
}

/** What a sign-in brought stays while it is for the same account and goes to the same place. */
function keepsSignIn({ hasSecrets, config: before }: StoredSource, config: Record<string, unknown>, kind: SourceKind) {
  const isSame = (field: string) => JSON.stringify(before[field]) === JSON.stringify(config[field]);
  return hasSecrets && wantsSignIn(kind.signIn, before) && kind.addressFields.every(isSame);
}

/** Credentials by their names alone. */
function describeChange(
  kind: SourceKind,
  stored: StoredSource,
  changed: Pick<StoredSource, "name" | "audience" | "schedule" | "config">,
  secrets: readonly string[],
): string[] {
  const fields = [...new Set([...Object.keys(stored.config), ...Object.keys(changed.config)])];
  const { properties = {} } = kind.config;
  // What is not said is as in a new source.
  const word = (config: Record<string, unknown>, field: string) =>
    wordSetting(config[field] ?? properties[field]?.default ?? null, properties[field]);
  const rows: [string, string, string][] = [
    ["name", stored.name, changed.name],
    ...fields.map((field): [string, string, string] => [
      field,
      word(stored.config, field),
      word(changed.config, field),
    ]),
    ["default audience", wordAudience(stored.audience), wordAudience(changed.audience)],
    ["schedule", stored.schedule ?? "none", changed.schedule ?? "none"],
  ];
  const lines = rows.filter(([, before, after]) => before !== after).map((row) => `  ${row[0]}: ${row[1]} → ${row[2]}`);
  if (secrets.length > 0) lines.push(`  credentials: ${secrets.join(", ")}, in place of all that are stored`);
  if (lines.length === 0) return [`“${stored.name}” has all of this already; nothing would change.`];
  return [`Nothing is saved. Without --dry-run “${stored.name}” (${kind.title}) would change:`, ...lines];
}

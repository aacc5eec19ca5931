import { AnnealError } from "@anneal/core/errors";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { z } from "zod";
import type { Env } from "../env.ts";
import type { PortalClient } from "../portal/client.ts";
import { checkAndPrint } from "./print-check.ts";
import { readFields } from "./read-fields.ts";
import { signIn, wantsSignIn } from "./sign-in.ts";
import { readSourceFile, type SourceFile } from "./source-file.ts";
import { listKinds, requireKind, type SourceKind } from "./source-kinds.ts";

export type AddSourceOptions = {
  name?: string;
  set?: string[];
  secret?: string[];
  /** A file, or "-"; what is passed as an option wins over it. */
  config?: string;
  audience?: "members" | "nobody";
  schedule?: string;
  dryRun?: boolean;
};

/** What the process around it gives. */
type Surroundings = { env: Env; say?: (line: string) => void; readInput?: () => Promise<string> };

const noFile: SourceFile = { config: {}, secrets: {} };
const listedSchema = z.array(z.object({ name: z.string() }));

/**
 * Tries a source and adds it when it can be read; with `dryRun` says what would be added and leaves everything as it is.
 * @throws AnnealError that says why it cannot be read or added
 */
export async function addSource(
  portal: PortalClient,
  wanted: string,
  options: AddSourceOptions,
  { env, say = console.log, readInput = () => text(process.stdin) }: Surroundings,
): Promise<void> {
  const kind = requireKind(await listKinds(portal), wanted);
  const file = options.config === undefined ? noFile : await readSourceFile(options.config, kind, readInput);
  const config = { ...file.config, ...readFields(options.set ?? [], kind.config, "--set") };
  const secrets = { ...file.secrets, ...(await readSecrets(env, options.secret ?? [], kind)) };
  const place = Object.values(config).find((each) => typeof each === "string") ?? "";
  const source = {
    name: options.name ?? file.name ?? `${kind.title} ${place}`.trim(),
    audience: options.audience ?? file.audience ?? "nobody",
    schedule: options.schedule ?? file.schedule ?? null,
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
  await portal.mutate("connect.create", { ...access, ...source }, z.unknown());
  if (source.audience === "nobody" && (options.audience ?? file.audience) === undefined)
    say("Documents without permissions of their own are shown to nobody; --audience members shows them to everyone.");
  say(`✓ “${source.name}” is added. Read it with \`anneal connect sync ${JSON.stringify(source.name)}\`.`);
}

type Described = Pick<SourceFile, "config" | "secrets"> & { name: string; audience: string; schedule: string | null };

/** Credentials by their names alone. */
function describeSource(kind: SourceKind, { name, config, secrets, audience, schedule }: Described): string[] {
  const settings = Object.entries(config).map(([field, value]) => `  ${field}: ${JSON.stringify(value)}`);
  const given = Object.keys(secrets);
  return [
    `Nothing is saved. Without --dry-run this would be added as “${name}” (${kind.title}):`,
    ...settings,
    `  credentials: ${given.length === 0 ? "none" : given.join(", ")}`,
    `  readers of documents without permissions of their own: ${audience}`,
    `  schedule: ${schedule ?? "none"}`,
  ];
}

/** The portal refuses it too, but only once the source has been tried. */
async function refuseTakenName(portal: PortalClient, name: string): Promise<void> {
  const listed = await portal.query("connect.list", undefined, listedSchema);
  if (!listed.some((each) => each.name === name)) return;
  throw new AnnealError("CONFLICT", `There is a source named “${name}” already.`, {
    action: "Choose another with --name.",
  });
}

async function readSecrets(env: Env, options: string[], kind: SourceKind): Promise<Record<string, string>> {
  const places = Object.entries(readFields(options, kind.secrets, "--secret"));
  return Object.fromEntries(
    await Promise.all(
      places.map(async ([field, place]) => [field, await readSecret(env, field, String(place))] as const),
    ),
  );
}

/** @throws AnnealError INVALID_INPUT that never repeats what stands in the place of a credential */
async function readSecret(env: Env, field: string, place: string): Promise<string> {
  const [, scheme = "", name = ""] = /^(env|file):(.+)$/.exec(place) ?? [];
  const value =
    scheme === "env" ? env[name] : scheme === "file" ? await readFile(name, "utf8").catch(() => undefined) : undefined;
  if (value !== undefined && value.trim() !== "") return value.replace(/\r?\n$/, "");
  // What is no variable's name may be the credential itself.
  const isNamed = scheme === "env" && /^[A-Za-z_]\w*$/.test(name);
  const why = isNamed ? `: the variable ${name} is ${value === undefined ? "not set" : "empty"}` : "";
  throw new AnnealError("INVALID_INPUT", `The credential ${field} cannot be read${why}.`, {
    action: `Pass --secret ${field}=env:NAME with the name of a variable that holds it, or file:PATH with a file that does.`,
  });
}

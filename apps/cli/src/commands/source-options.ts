import { AnnealError } from "@anneal/core/errors";
import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Env } from "../env.ts";
import { readFields } from "./read-fields.ts";
import { readSourceFile, type SourceFile } from "./source-file.ts";
import type { SourceKind } from "./source-kinds.ts";

/** What describes a source, or a change of one, on the command line. */
export type SourceOptions = {
  name?: string;
  set?: string[];
  secret?: string[];
  /** A file, or "-"; what is passed as an option wins over it. */
  config?: string;
  audience?: "members" | "nobody";
  /** False: none. */
  schedule?: string | false;
  dryRun?: boolean;
};

/** What the process around it gives. */
export type Surroundings = { env: Env; say?: (line: string) => void; readInput?: () => Promise<string> };

export const collect = (value: string, all: string[] = []) => [...all, value];

/** Those of `SourceOptions` that say where a source is and how to get in. */
export function addAccessOptions(command: Command): Command {
  return command
    .option("--set <field=value>", "a setting of the kind; can be repeated; lists are a,b or JSON", collect)
    .option("--secret <field=source>", "a credential: env:NAME or file:PATH, so that no shell remembers it", collect)
    .option(
      "--config <file>",
      "a JSON file with “config” and “secrets”, or - for the standard input; options win over it",
    );
}

const noFile: SourceFile = { config: {}, secrets: {} };

/**
 * What was given, by file and by options; what was not is left out.
 * @throws AnnealError INVALID_INPUT that names what is wrong and repeats no credential
 */
export async function readSourceOptions(
  kind: SourceKind,
  { name, set = [], secret = [], config: place, audience, schedule }: SourceOptions,
  { env, readInput = () => text(process.stdin) }: Surroundings,
): Promise<SourceFile> {
  const file = place === undefined ? noFile : await readSourceFile(place, kind, readInput);
  return {
    ...file,
    ...(name === undefined ? {} : { name }),
    config: { ...file.config, ...readFields(set, kind.config, "--set") },
    secrets: { ...file.secrets, ...(await readSecrets(env, secret, kind)) },
    ...(audience === undefined ? {} : { audience }),
    ...(schedule === undefined ? {} : { schedule: schedule === false ? null : schedule }),
  };
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

import { isAsked } from "@anneal/core/connect/asked-field";
import { describeField } from "./describe-field.ts";
import type { FieldSchema } from "./read-fields.ts";
import type { SourceKind } from "./source-kinds.ts";

/** All that a kind asks for, from the schema that the portal draws its form from, and a command to begin with. */
export function describeKind(kind: SourceKind): string[] {
  const { title, description, facts, config, secrets, signIn } = kind;
  return [
    `${title}: ${description}`,
    ...(facts.length === 0 ? [] : ["", ...facts]),
    ...describeFields("Settings, each as --set field=value, or under “config” in the file of --config:", config, []),
    ...describeFields(
      "Credentials, each as --secret field=env:NAME or field=file:PATH, or under “secrets” in the file of --config:",
      secrets,
      ["secret"],
    ),
    ...(signIn === null
      ? []
      : [
          "",
          `With --set ${signIn.field}=${signIn.value} no credential is needed: you sign in to ${signIn.with} with a code.`,
        ]),
    "",
    "For example:",
    exampleCommand(kind),
  ];
}

function describeFields(heading: string, { properties = {}, required = [] }: FieldSchema, notes: string[]): string[] {
  const fields = Object.entries(properties);
  if (fields.length === 0) return [];
  return [
    "",
    heading,
    ...fields.flatMap(([name, field]) => describeField(name, field, required.includes(name), notes)),
  ];
}

/** What every source of the kind needs, and what most do: fields with an example in their schema. */
export function exampleCommand(kind: Pick<SourceKind, "kind" | "config" | "secrets">): string {
  const lines = ["npm run anneal -- connect add", ...exampleOptions(kind)];
  return `  ${lines[0]} ${kind.kind} ${lines.slice(1).join(" \\\n    ")}`;
}

function exampleOptions({ kind, config, secrets }: Pick<SourceKind, "kind" | "config" | "secrets">): string[] {
  const chosen = (fields: FieldSchema) => chosenFields(fields, config);
  return [
    ...chosen(config).map(([name, field]) => `--set ${quote(`${name}=${exampleValue(name, field)}`)}`),
    ...chosen(secrets).map(([name, field]) => `--secret ${name}=${examplePlace(kind, name, field)}`),
  ];
}

/** Of those that are of use with the defaults. */
function chosenFields({ properties = {}, required = [] }: FieldSchema, settings: FieldSchema): [string, FieldSchema][] {
  return Object.entries(properties).filter(
    ([name, field]) =>
      ((field.examples ?? []).length > 0 || required.includes(name)) && isAsked(field, {}, settings.properties ?? {}),
  );
}

function exampleValue(name: string, { examples = [], title = name }: FieldSchema): string {
  const [value] = examples;
  if (value === undefined) return `<${title}>`;
  if (typeof value === "string") return value;
  const isPlainList = Array.isArray(value) && value.every((each) => typeof each === "string" && !/[,\n]/.test(each));
  return isPlainList ? value.join(",") : JSON.stringify(value);
}

/** What has lines is a file; everything else is a variable of the shell. */
function examplePlace(kind: string, name: string, { examples = [] }: FieldSchema): string {
  if (typeof examples[0] === "string" && /^(\{|-----BEGIN )/.test(examples[0])) return `file:./${name}`;
  const words = `${kind}-${name.replaceAll(/[A-Z]/g, "-$&")}`;
  return `env:${words.replaceAll("-", "_").toUpperCase()}`;
}

/** As a POSIX shell reads it back. */
function quote(text: string): string {
  return /^[\w./:@=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

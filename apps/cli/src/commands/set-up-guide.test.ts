import { directoryScopes } from "@anneal/connectors/google/directory-api";
import { driveScope } from "@anneal/connectors/google/drive-api";
import { requireConnector } from "@anneal/connectors/registry";
import { slackSecretSchema } from "@anneal/connectors/slack/config";
import { repoDir } from "@anneal/local-stack/environment";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readFields, type FieldSchema } from "./read-fields.ts";

const guide = join(repoDir, "docs/connectors");
const chapters = new Map(readdirSync(guide).map((name) => [name, readFileSync(join(guide, name), "utf8")] as const));
const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as FieldSchema;

/** Each `connect add` of a chapter as a shell would take it apart. */
function commandsOf(text: string): { kind: string; set: string[]; secret: string[] }[] {
  const lines = text.replaceAll("\\\n", " ").split("\n");
  return lines.flatMap((line) => {
    const [, kind, options] = /^npm run anneal -- connect add ([a-z0-9-]+) (--.*)$/.exec(line) ?? [];
    if (kind === undefined || options === undefined) return [];
    const words = [...options.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, ...forms]) => forms.find(Boolean) ?? "");
    const after = (option: string) => words.filter((_, index) => words[index - 1] === option);
    return [{ kind, set: after("--set"), secret: after("--secret") }];
  });
}

const commands = [...chapters].flatMap(([name, text]) => commandsOf(text).map((command) => ({ name, ...command })));

describe("the guide to setting sources up", () => {
  it("has a command for every kind that it has a chapter for", () => {
    const kinds = new Set(commands.map(({ kind }) => kind));
    expect([...kinds].sort().join(" ")).toBe(
      "azure-blob confluence gcs gdrive imap jira mongodb mssql mysql notion postgres s3 sftp slack smb",
    );
  });

  it.each(commands)("names fields in $name that a source of kind $kind has, with values that they take", (command) => {
    const { configSchema, secretSchema } = requireConnector(command.kind);
    const config = readFields(command.set, schemaOf(configSchema), "--set");
    readFields(command.secret, schemaOf(secretSchema), "--secret");
    const refused = (configSchema.safeParse(config).error?.issues ?? []).filter(
      // What the reader has to fill in.
      ({ path }) => !JSON.stringify(config[String(path[0])] ?? "").includes("…"),
    );
    expect(refused).toEqual([]);
  });

  it("asks for the scopes that the connectors ask for, and for no other", () => {
    const scopesIn = (chapter: string, pattern: RegExp) => [...new Set(chapters.get(chapter)?.match(pattern))].sort();
    expect(scopesIn("google.md", /https:\/\/www\.googleapis\.com\/auth\/[\w.]+/g)).toEqual(
      [driveScope, ...directoryScopes].sort(),
    );
    const slackScope = /\b(?:channels|groups|users)(?::read(?:\.email)?|:history)/g;
    const { description = "" } = schemaOf(slackSecretSchema).properties?.["botToken"] ?? {};
    expect(scopesIn("slack.md", slackScope)).toEqual([...new Set(description.match(slackScope))].sort());
  });
});

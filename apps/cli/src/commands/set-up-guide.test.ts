import { directoryScopes } from "@anneal/connectors/google/directory-api";
import { driveScope } from "@anneal/connectors/google/drive-api";
import { onedriveScopes, sharepointScopes, teamsScopes } from "@anneal/connectors/microsoft/delegated-scopes";
import { microsoftOrigins } from "@anneal/connectors/microsoft/graph-client";
import { permissionsToGrant } from "@anneal/connectors/microsoft/graph-permissions";
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
      "azure-blob confluence file gcs gdrive imap jira mongodb mssql mysql notion onedrive postgres s3 sftp sharepoint slack smb teams",
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

describe("the chapter of Microsoft 365", () => {
  const chapter = chapters.get("microsoft.md") ?? "";
  const under = (heading: string) => chapter.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  /** The permissions in a table's first column. */
  const rows = (text: string) => text.split("\n").filter((line) => line.startsWith("| "));
  const permission = /\b[A-Z][A-Za-z]+(?:\.[A-Z][A-Za-z]+)+\b/g;
  const namesIn = (text: string) => [...new Set(text.match(permission))].sort();
  const granted = (to: "application" | "delegated") =>
    ["Authorization_RequestDenied", "Forbidden", null].map((code) => permissionsToGrant(code, to)).join(" ");
  const sources = join(repoDir, "packages/connectors/src/microsoft");
  const code = readdirSync(sources)
    .filter((name) => !name.endsWith(".test.ts"))
    .map((name) => readFileSync(join(sources, name), "utf8"))
    .join("\n");

  it("names the application permissions that a refusal asks for, and beyond them the one that brings more", () => {
    const listed = rows(under("Application permission")).flatMap((row) => namesIn(row.split("|")[1] ?? ""));
    expect([...new Set(listed)].sort()).toEqual(namesIn(`${granted("application")} Sites.FullControl.All`));
    expect(code).toContain("Sites.FullControl.All on SharePoint (not on Microsoft Graph)");
  });

  it("lists the delegated permissions that a sign-in asks for, and whose consent each needs", () => {
    const table = rows(under("Delegated permission"));
    const alone = teamsScopes({ messages: false, files: true });
    const all = [...sharepointScopes, ...onedriveScopes, ...teamsScopes({ messages: true, files: true })];
    const consented = (by: string) => namesIn(table.filter((row) => row.includes(`| ${by}`)).join(" "));
    expect(consented("the account's own")).toEqual(
      [...new Set([...sharepointScopes, ...onedriveScopes, ...alone])].sort(),
    );
    expect(namesIn(table.map((row) => row.split("|")[1] ?? "").join(" "))).toEqual([...new Set(all)].sort());
  });

  it("has the addresses of every cloud that the connector takes for Microsoft's own", () => {
    const clouds = [...under("National clouds").matchAll(/`(https:[^`]*\/v1\.0)`/g)].map(([, url = ""]) => url);
    expect(clouds.map((url) => new URL(url).origin).sort()).toEqual([...microsoftOrigins].sort());
  });

  it("quotes what the check and the sync say, word for word", () => {
    const quotes = rows(under("What goes wrong")).map((row) => row.split("|")[1]?.trim() ?? "");
    expect(quotes.length).toBeGreaterThan(20);
    // "…" is a name, and in code spans are the capability of a line and the reasons that Entra gives.
    const partsOf = (quote: string) => quote.split(/…|`[^`]*`|\(with [^)]*\)/).map((part) => part.trim());
    const said = (quote: string) => partsOf(quote).every((part) => !/\w/.test(part) || code.includes(part));
    expect(quotes.slice(2).filter((quote) => !said(quote))).toEqual([]);
    expect([...new Set(quotes.join(" ").match(/AADSTS\d+/g))].filter((reason) => !code.includes(reason))).toEqual([]);
  });

  it("shows the lines of a check as the connector writes them", () => {
    const [, block = ""] = /The check to expect:\n\n```\n([^`]*)```/.exec(under("Application permission")) ?? [];
    const lines = block.trim().split("\n").slice(2);
    expect(lines.length).toBe(4);
    for (const line of lines) {
      const message = line.slice(line.indexOf(": ") + 2);
      // Numbers, and what is added to a sentence, stand elsewhere in the code.
      for (const part of message.split(/\b\d+\b|(?<=\.) (?=A document)|; without it /))
        expect(code, line).toContain(part.trim());
    }
  });
});

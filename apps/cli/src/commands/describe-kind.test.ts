import { connectors } from "@anneal/connectors/registry";
import { toJsonSchema } from "@anneal/core/json-schema";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describeKind, exampleCommand } from "./describe-kind.ts";
import { readFields, type FieldSchema } from "./read-fields.ts";
import type { SourceKind } from "./source-kinds.ts";

const schemaOf = (schema: z.ZodType) => toJsonSchema(schema) as FieldSchema;

const kindOf = (config: z.ZodType, secrets: z.ZodType = z.object({})): SourceKind => ({
  kind: "acme-wiki",
  title: "Acme wiki",
  description: "Pages.",
  facts: ["A sync costs little.", "What is deleted there is hidden here."],
  config: schemaOf(config),
  secrets: schemaOf(secrets),
  addressFields: [],
  signIn: null,
});

/** The words after `option` in a command, as a POSIX shell gives them to a program. */
function optionsOf(command: string, option: string): string[] {
  const found = command.matchAll(new RegExp(`${option} (?:'((?:[^']|'\\\\'')*)'|(\\S+))`, "g"));
  return [...found].map(([, quoted, plain]) => quoted?.replaceAll(String.raw`'\''`, "'") ?? plain ?? "");
}

describe("what a kind asks for", () => {
  it("says of each field its values, default, whether it is needed and secret, and what it is for", () => {
    const config = z.object({
      url: z.url().meta({ title: "Address", description: "Where it begins." }),
      port: z.number().int().min(1).max(65_535).default(443).meta({ title: "Port" }),
      pages: z.number().int().min(1).default(10).meta({ title: "Pages" }),
      tls: z
        .enum(["require", "off"])
        .default("require")
        .meta({ title: "TLS", labels: { require: "Always", off: "Never" } }),
      strict: z
        .boolean()
        .default(false)
        .meta({ title: "Strict", administrator: true, about: ["spaces"] }),
      contact: z.email().nullable().default(null).meta({ title: "Contact" }),
      spaces: z.array(z.string()).default([]).meta({ title: "Spaces" }),
      since: z.iso.date().optional().meta({ title: "Since" }),
      key: z
        .string()
        .regex(/^[a-z]+$/)
        .default("id")
        .meta({ title: "Key" }),
      domain: z.string().regex(/@/, "A domain such as example.com.").nullable().default(null),
      tables: z
        .array(z.object({ name: z.string().meta({ title: "Table" }), key: z.string().default("id") }))
        .max(5)
        .default([])
        .meta({ title: "Tables" }),
    });
    const secrets = z.object({
      token: z.string().meta({ title: "Token", description: "It reads." }),
      pin: z.string().optional(),
    });
    const lines = describeKind(kindOf(config, secrets));
    expect(lines).toEqual([
      "Acme wiki: Pages.",
      "",
      "A sync costs little.",
      "What is deleted there is hidden here.",
      "",
      "Settings, each as --set field=value, or under “config” in the file of --config:",
      "  url  (an address with its scheme; required)",
      "      Address: Where it begins.",
      "  port  (whole number from 1 to 65535; default: 443)",
      "      Port",
      "  pages  (whole number of at least 1; default: 10)",
      "      Pages",
      "  tls  (one of require, off; default: require)",
      "      TLS",
      "      · require: Always",
      "      · off: Never",
      "  strict  (true or false; default: false; an administrator's to change, for what spaces names then)",
      "      Strict",
      "  contact  (an e-mail address; default: empty)",
      "      Contact",
      "  spaces  (list, each text; default: empty)",
      "      Spaces",
      "  since  (a date as YYYY-MM-DD; optional)",
      "      Since",
      "  key  (text that matches ^[a-z]+$; default: id)",
      "      Key",
      "  domain  (text: a domain such as example.com; default: empty)",
      "  tables  (list of objects as JSON, at most 5, each with the fields below; default: empty)",
      "      Tables",
      "      · name  (text; required)  Table",
      "      · key  (text; default: id)",
      "",
      "Credentials, each as --secret field=env:NAME or field=file:PATH, or under “secrets” in the file of --config:",
      "  token  (text; required; secret)",
      "      Token: It reads.",
      "  pin  (text; optional; secret)",
      "",
      "For example:",
      "  npm run anneal -- connect add acme-wiki --set 'url=<Address>' \\\n    --secret token=env:ACME_WIKI_TOKEN",
    ]);
  });

  it("says with which settings a field is of use, and has no such field in the command to begin with", () => {
    const config = z.object({
      by: z.enum(["key", "app"]).default("key").meta({ title: "By" }),
      app: z
        .string()
        .optional()
        .meta({ title: "App", examples: ["wiki"], when: { by: ["app"] } }),
    });
    const secrets = z.object({
      key: z
        .string()
        .optional()
        .meta({ title: "Key", examples: ["…"], when: { by: ["key"] } }),
    });
    const lines = describeKind(kindOf(config, secrets));
    expect(lines).toContain("  app  (text; optional; for by=app)");
    expect(lines).toContain("  key  (text; optional; for by=key; secret)");
    expect(lines.at(-1)).toBe("  npm run anneal -- connect add acme-wiki --secret key=env:ACME_WIKI_KEY");
  });

  it("quotes what a shell would take apart", () => {
    const config = z.object({ query: z.array(z.string()).meta({ examples: [["{ it's(n: 1, m: 2) }"]] }) });
    const command = exampleCommand(kindOf(config));
    expect(readFields(optionsOf(command, "--set"), schemaOf(config), "--set")).toEqual({
      query: ["{ it's(n: 1, m: 2) }"],
    });
  });

  it.each(connectors.map((connector) => [connector.kind, connector] as const))(
    "gives a command for %s whose settings its own schema takes, with the credentials that it needs",
    (kind, { title, configSchema, secretSchema }) => {
      const config = schemaOf(configSchema);
      const secrets = schemaOf(secretSchema);
      const command = exampleCommand({ kind, config, secrets });
      expect(command).toContain(`connect add ${kind} `);
      // Nothing is left for the reader to guess.
      expect(command, title).not.toMatch(/=<|undefined/);
      configSchema.parse(readFields(optionsOf(command, "--set"), config, "--set"));
      const given = Object.keys(readFields(optionsOf(command, "--secret"), secrets, "--secret"));
      secretSchema.parse(Object.fromEntries(given.map((field) => [field, "xoxb-1"])));
    },
  );
});

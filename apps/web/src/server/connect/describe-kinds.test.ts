import type { SourceFacts } from "@anneal/connectors/connector";
import { describeFacts } from "@anneal/connectors/describe-facts";
import { expect, it } from "vitest";
import { describeReading, findConfigProblems, listSourceKinds } from "./describe-kinds.ts";

it("every kind names the settings that decide who sees its credentials, as the form asks for them", () => {
  const kinds = new Map(listSourceKinds().map((each) => [each.kind, each]));
  const fieldsOf = (kind: string) => kinds.get(kind)?.addressFields;
  expect(fieldsOf("file")).toEqual([]);
  expect(fieldsOf("smb")).toEqual(["host", "port", "accountsHost"]);
  expect(fieldsOf("postgres")).toEqual(["host", "port"]);
  expect(fieldsOf("s3")).toEqual(["endpoint"]);
  expect(fieldsOf("rest")).toEqual(["url", "signIn", "tokenUrl"]);
  expect(fieldsOf("web")).toEqual(["url", "seeds"]);
  for (const kind of ["confluence", "jira"])
    expect(fieldsOf(kind)).toEqual(["url", "auth", "clientId", "authorityUrl"]);
  expect(fieldsOf("sharepoint")).toEqual(["authorityUrl", "permission", "tenantId", "clientId"]);
  for (const { kind, addressFields, config } of kinds.values()) {
    if (kind !== "file") expect(addressFields, kind).not.toEqual([]);
    expect(Object.keys(config.properties ?? {}), kind).toEqual(expect.arrayContaining(addressFields));
  }
});

it("what an administrator's word is about are lists of the same kind's settings", () => {
  const about = listSourceKinds().flatMap(({ kind, config: { properties = {} } }) =>
    Object.values(properties).flatMap((field) =>
      (field.about ?? []).map((name) => ({ kind, field, of: properties[name] })),
    ),
  );
  expect(about.map(({ kind }) => kind)).toEqual(["confluence"]);
  for (const { field, of } of about) {
    expect(field.administrator).toBe(true);
    expect(of).toMatchObject({ type: "array", default: [] });
  }
});

it("every connector can be chosen, and what is said of how it reads is what it does", async () => {
  const told = new Map(listSourceKinds().map(({ kind, facts }) => [kind, facts]));
  const connectors = await loadConnectors();
  expect([...told.keys()].sort()).toEqual(connectors.map(({ kind }) => kind).sort());
  for (const connector of connectors)
    expect(told.get(connector.kind), connector.kind).toEqual(describeFacts(connector));
});

/** By a name that the compiler does not follow: the readers are not the portal's, nor made for its types. */
async function loadConnectors(): Promise<({ kind: string } & SourceFacts)[]> {
  const registry: string = "@anneal/connectors/registry";
  const loaded = (await import(registry)) as { connectors: ({ kind: string } & SourceFacts)[] };
  return loaded.connectors;
}

it.each(["file", "sftp"])("says of %s, whose accounts nobody could tell for people, what is missing", (kind) => {
  const path = kind === "file" ? { path: "/srv" } : { host: "files.example", user: "u", path: "/srv" };
  const problems = (config: object) => findConfigProblems(kind, { ...path, ...config });
  expect(problems({ permissions: "posix" })).toEqual([
    {
      field: "userEmailDomain",
      message: "Without it no account is a person, and nobody would see a document.",
      isLack: true,
    },
  ]);
  expect(problems({ permissions: "posix", userEmailDomain: "example.com" })).toEqual([]);
  expect(problems({ permissions: "off" })).toEqual([]);
});

it("tells of a source's own settings whether it says who may read", () => {
  const told = (permissions: string) => describeReading("file", { path: "/srv", permissions })[1];
  expect(told("posix")).toBe("It tells who may read each document.");
  expect(told("off")).toBe(
    "With these settings it does not tell who may read a document: its default audience decides.",
  );
  expect(describeReading("of another release", {})).toEqual([]);
});

import { describe, expect, it } from "vitest";
import { findKinds } from "#features/connect/find-kinds.ts";
import { listSourceKinds } from "#server/connect/describe-kinds.ts";

const kinds = listSourceKinds();
const find = (search: string) =>
  findKinds(kinds, search, ({ kind }) => (kind === "imap" ? "Mail and chat" : "Other"))
    .map(({ kind }) => kind)
    .sort();

describe("the gallery's search", () => {
  it.each([
    ["nfs", ["file"]],
    ["CIFS", ["smb"]],
    ["samba", ["smb"]],
    ["exchange", ["imap"]],
    ["Exchange Online", ["imap"]],
    ["outlook", ["imap"]],
    ["gmail", ["imap"]],
    ["minio", ["s3"]],
    ["aurora", ["mysql", "postgres"]],
    ["mariadb", ["mysql"]],
    ["gsuite", ["gdrive", "imap"]],
    ["SharePoint Online", ["sharepoint"]],
    ["xing", ["rest"]],
    ["office 365", ["imap", "onedrive", "sharepoint", "teams"]],
    ["sql server", ["mssql"]],
    ["ssh", ["sftp"]],
  ])("finds by %s what reads it", (search, found) => {
    expect(find(search)).toEqual(found);
  });

  it("finds by what is shown: the name, what it is for and the heading", () => {
    expect(find("Windows share")).toEqual(["smb"]);
    expect(find("marked as read")).toEqual(["imap"]);
    expect(find("mail and chat")).toEqual(["imap"]);
    expect(find("  ")).toHaveLength(kinds.length);
    expect(find("nothing of that name")).toEqual([]);
  });

  it("takes a part of another name only from its beginning", () => {
    expect(find("xchange")).toEqual([]);
    expect(find("exch")).toEqual(["imap"]);
  });

  it("has other names for every kind", () => {
    for (const { kind, title } of kinds)
      expect(findKinds([{ kind, title: "", description: "" }], otherNameOf[kind] ?? title, () => "")).toHaveLength(1);
  });
});

/** One word for each kind that its title does not have. */
const otherNameOf: Record<string, string> = {
  file: "nas",
  smb: "cifs",
  sftp: "ssh",
  s3: "aws",
  "azure-blob": "adls",
  gcs: "gcp",
  sharepoint: "m365",
  onedrive: "m365",
  teams: "m365",
  gdrive: "docs",
  confluence: "wiki",
  jira: "ticket",
  notion: "wiki",
  imap: "gmail",
  slack: "chat",
  postgres: "aurora",
  mysql: "percona",
  mssql: "azure",
  mongodb: "atlas",
  web: "crawler",
  rest: "json",
  graphql: "gql",
};

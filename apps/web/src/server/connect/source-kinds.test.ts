import { expect, it } from "vitest";
import { listSourceKinds } from "./source-kinds.ts";

it("every kind names the settings that decide who sees its credentials, as the form asks for them", () => {
  const kinds = new Map(listSourceKinds().map((each) => [each.kind, each]));
  const fieldsOf = (kind: string) => kinds.get(kind)?.addressFields;
  expect(fieldsOf("file")).toEqual([]);
  expect(fieldsOf("smb")).toEqual(["host", "port", "accountsHost"]);
  expect(fieldsOf("postgres")).toEqual(["host", "port"]);
  expect(fieldsOf("s3")).toEqual(["endpoint"]);
  expect(fieldsOf("rest")).toEqual(["url", "signIn", "tokenUrl"]);
  expect(fieldsOf("web")).toEqual(["url", "seeds"]);
  expect(fieldsOf("sharepoint")).toEqual(["authorityUrl", "permission", "tenantId", "clientId"]);
  for (const { kind, addressFields, config } of kinds.values()) {
    if (kind !== "file") expect(addressFields, kind).not.toEqual([]);
    expect(Object.keys(config.properties ?? {}), kind).toEqual(expect.arrayContaining(addressFields));
  }
});

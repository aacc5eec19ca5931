import { describe, expect, it } from "vitest";
import { listSourceKinds } from "#server/connect/describe-kinds.ts";
import { askedFields, askedValues, suggestedValues, textOfValues } from "./asked-fields.ts";

describe("a mailbox's form", () => {
  const { config, secrets } = listSourceKinds().find(({ kind }) => kind === "imap")!;
  const asks = (authentication?: string) => {
    const settings = authentication === undefined ? {} : { authentication };
    const names = (schema: typeof config) => Object.keys(askedFields(schema, settings, config).properties ?? {});
    const always = new Set(names({ ...config, properties: unconditional(config.properties ?? {}) }));
    return { settings: names(config).filter((name) => !always.has(name)), secrets: names(secrets) };
  };
  const unconditional = (fields: NonNullable<typeof config.properties>) =>
    Object.fromEntries(Object.entries(fields).filter(([, { when }]) => when === undefined));

  it("asks for nothing that another way to sign in needs", () => {
    expect(asks()).toEqual({ settings: [], secrets: ["password"] });
    expect(asks("password")).toEqual(asks());
    const app = ["tenantId", "clientId", "authorityUrl"];
    expect(asks("microsoft-delegated")).toEqual({ settings: app, secrets: [] });
    expect(asks("microsoft-application")).toEqual({ settings: app, secrets: ["clientSecret", "certificate"] });
    expect(asks("google-service-account")).toEqual({ settings: ["authorityUrl"], secrets: ["serviceAccountKey"] });
  });

  it("does not send what was entered for another way", () => {
    const entered = { host: "imap.example.com", tenantId: "half a GUI", authentication: "password", unknown: 1 };
    const asked = askedFields(config, entered, config);
    expect(askedValues(entered, config, asked)).toEqual({
      host: "imap.example.com",
      authentication: "password",
      unknown: 1,
    });
  });
});

it("a folder's form and a file server's ask for accounts and hidden access lists only where file permissions are read", () => {
  const ofPermissions = ["hiddenAccessLists", "userEmailDomain", "firstPersonId", "passwdPath", "groupPath"];
  for (const kind of ["file", "sftp"]) {
    const { config } = listSourceKinds().find((one) => one.kind === kind)!;
    const asks = (settings: Record<string, unknown>) =>
      Object.keys(askedFields(config, settings, config).properties ?? {}).filter((name) =>
        ofPermissions.includes(name),
      );
    expect(asks({})).toEqual([]);
    expect(asks({ permissions: "off" })).toEqual([]);
    expect(asks({ permissions: "posix" })).toEqual(ofPermissions);
    for (const name of ofPermissions) expect(config.properties?.[name]?.description, name).toBeTruthy();
  }
});

it("Confluence's form asks for restrictions of folders in the cloud alone, where there are folders", () => {
  const { config } = listSourceKinds().find(({ kind }) => kind === "confluence")!;
  const asks = (settings: Record<string, unknown>) =>
    Object.keys(askedFields(config, settings, config).properties ?? {}).includes("hiddenRestrictions");
  expect([{}, { deployment: "cloud" }, { deployment: "data-center" }].map(asks)).toEqual([true, true, false]);
  expect(config.properties?.["hiddenRestrictions"]).toMatchObject({
    default: "possible",
    administrator: true,
    about: ["spaces"],
  });
});

describe("a new source's form", () => {
  const begins = (kind: string, isAdministrator: boolean) =>
    suggestedValues(listSourceKinds().find((one) => one.kind === kind)!.config, isAdministrator);

  it("opens private hosts where most sources of the kind stand there, and for administrators alone", () => {
    for (const kind of ["smb", "sftp", "postgres", "mysql", "mssql", "mongodb"]) {
      expect(begins(kind, true)).toEqual({ allowPrivateHosts: true });
      expect(begins(kind, false)).toEqual({});
    }
    for (const kind of ["s3", "web", "imap"]) expect(begins(kind, true)).toEqual({});
  });
});

it("what was entered and taken back, or is as it would be if left out, counts as nothing entered", () => {
  const schema = { properties: { path: {}, include: { default: [] }, hidden: { default: false }, domain: {} } };
  expect(textOfValues({}, schema)).toBe("");
  expect(textOfValues({ path: "", include: undefined, hidden: false, domain: null }, schema)).toBe("");
  expect(textOfValues({ include: [] }, schema)).toBe("");
  expect(textOfValues({ hidden: true }, schema)).not.toBe("");
  expect(textOfValues({ path: "/a", hidden: true }, schema)).toBe(textOfValues({ hidden: true, path: "/a" }, schema));
  expect(textOfValues({ port: 22 }, { properties: { port: { default: 22 } } })).toBe("");
  expect(textOfValues({ port: 23 }, { properties: { port: { default: 22 } } })).not.toBe("");
});

import type { Principal } from "@anneal/core/access/acl";
import { expect, it } from "vitest";
import { explainAudience, explainWithheld } from "./explain-audience.ts";

const source = { name: "Wiki" };
const nobody = { allow: [], closed: [] };
const somebody = { allow: [{}], closed: [] };
const refusal = { readable: false, by: null, path: [], inheritedFrom: null, closedBy: null };

it("says once why nobody may read a document, and what of it can be changed here", () => {
  const bySettings = { readers: nobody, aclInherited: true, source, refusal };
  const sentence =
    "Nobody: it has no permissions of its own, and the settings of its source “Wiki” give such documents to nobody.";
  expect(explainAudience(bySettings)).toBe(sentence);
  expect(explainWithheld(bySettings)).toBe(sentence);
  expect(explainAudience({ ...bySettings, source: null })).toContain("the settings of its source give");

  const bySource = { readers: nobody, aclInherited: false, source, refusal };
  expect(explainAudience(bySource)).toBe(
    "Nobody: its source names no reader for it, or could not tell who may read it there.",
  );
  expect(explainWithheld(bySource)).toBe(explainAudience(bySource));
  expect(explainAudience({ ...bySource, readers: { allow: [], closed: [{}] } })).toBe(
    "Nobody: what lies above it lets nobody through of those whom its own permissions admit.",
  );
});

it("names the source's settings where they decide, and nothing where the source named the readers itself", () => {
  expect(explainAudience({ readers: somebody, aclInherited: true, source })).toBe(
    "It has no permissions of its own: the settings of its source “Wiki” decide who may read it.",
  );
  expect(explainAudience({ readers: somebody, aclInherited: false, source })).toBeNull();
  const ofOthers = { readers: somebody, aclInherited: false, source, refusal };
  expect(explainWithheld(ofOthers)).toBe("Its source gives it to others only.");
  const by: Principal = { source: "smb", tenant: "files", kind: "group", id: "S-1-5-21" };
  const denied = { ...refusal, by, path: ["Interns", "Ann Lee"] };
  expect(explainWithheld({ ...ofOthers, refusal: denied })).toBe("Denied through Interns, as Ann Lee.");
});

import { describe, expect, it } from "vitest";
import { type Acl, mayRead, nobody, principalKey, workspaceMembers, workspaceUser } from "../access/acl.ts";
import { isAnnealError } from "../errors.ts";
import { aclPayload, mayReadPayload } from "./payload.ts";
import { buildRetrievalQuery, cosineSimilarity, type RetrievalRequest } from "./retrieval-query.ts";

const member = principalKey(workspaceMembers("w"));
const request: RetrievalRequest = {
  dense: [0.1, 0.2],
  sparse: { indices: [7], values: [1] },
  workspaceId: "w",
  holderKeys: [member],
  limit: 5,
};

describe("buildRetrievalQuery", () => {
  it("puts the permission filter inside both legs and after fusion", () => {
    const query = buildRetrievalQuery(request);
    expect(query.prefetch.map((leg) => leg.using)).toEqual(["dense", "bm25"]);
    for (const filter of [...query.prefetch.map((leg) => leg.filter), query.filter]) {
      expect(filter.must).toContainEqual({ key: "workspace_id", match: { value: "w" } });
      expect(filter.must).toContainEqual({ key: "acl_allow", match: { any: [member] } });
      expect(filter.must_not).toContainEqual({ key: "acl_deny", match: { any: [member] } });
      expect(filter.must_not).toContainEqual({ key: "hidden", match: { value: true } });
    }
  });

  it("refuses a reader who holds no key instead of searching without a filter", () => {
    let caught: unknown;
    try {
      buildRetrievalQuery({ ...request, holderKeys: [] });
    } catch (error) {
      caught = error;
    }
    expect(isAnnealError(caught) && caught.code).toBe("FORBIDDEN");
  });

  it("reads an empty list of sources as no source, not as every source", () => {
    const none = buildRetrievalQuery({ ...request, sourceIds: [] });
    expect(none.filter.must).toContainEqual({ key: "source_id", match: { any: [] } });
    expect(buildRetrievalQuery(request).filter.must.some((condition) => condition.key === "source_id")).toBe(false);
  });

  it("leaves out of a search of some sources only the copies of what stands in these", () => {
    const { must_not: limited } = buildRetrievalQuery({ ...request, sourceIds: ["mail"] }).filter;
    expect(limited).toContainEqual({ key: "hidden_in", match: { any: ["mail"] } });
    expect(limited.some((condition) => condition.key === "hidden")).toBe(false);
  });

  it("leaves out the lexical leg of a question without terms", () => {
    expect(buildRetrievalQuery({ ...request, sparse: { indices: [], values: [] } }).prefetch).toHaveLength(1);
  });

  it("asks each leg for more candidates than are wanted", () => {
    for (const leg of buildRetrievalQuery(request).prefetch) expect(leg.limit).toBeGreaterThanOrEqual(20);
  });
});

describe("mayReadPayload", () => {
  it("agrees with mayRead for every ACL", () => {
    const user = workspaceUser("w", "u");
    const acls: Acl[] = [
      nobody,
      { allow: [workspaceMembers("w")], deny: [] },
      { allow: [workspaceMembers("w")], deny: [user] },
      { allow: [user], deny: [] },
    ];
    for (const acl of acls) {
      for (const holderKeys of [new Set<string>(), new Set([member]), new Set([member, principalKey(user)])]) {
        const payload = { workspace_id: "w", ...aclPayload({ acl }) };
        expect(mayReadPayload(payload, { workspaceId: "w", holderKeys })).toBe(mayRead(acl, holderKeys));
        expect(mayReadPayload(payload, { workspaceId: "other", holderKeys })).toBe(false);
      }
    }
  });
});

describe("cosineSimilarity", () => {
  it("is 1 for a vector and its multiple, 0 for perpendicular and zero vectors", () => {
    expect(cosineSimilarity([1, 2], [2, 4])).toBeCloseTo(1);
    expect(cosineSimilarity([1, 0], [0, 1])).toBe(0);
    expect(cosineSimilarity([0, 0], [1, 1])).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { createIdentity, type Role } from "./auth/identity.ts";
import type { Context } from "./context.ts";
import { appRouter } from "./root.ts";
import { AnnealError } from "@anneal/core/errors";
import { TRPCError } from "@trpc/server";

// Authorization comes before everything else: what reached a database would be told as another error. Only that a call
// was refused is recorded; where that fails, as here, it is refused all the same.
const db = new Proxy(
  {},
  { get: () => expect.fail("the database was asked before the caller was authorised") },
) as Context["db"];
const procedures = Object.keys(appRouter._def.procedures);

async function codeOf(path: string, identity: Context["identity"]): Promise<string> {
  const caller = appRouter.createCaller({ db, identity });
  const procedure = path.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], caller);
  try {
    await (procedure as (input: unknown) => Promise<unknown>)(undefined);
    return "answered";
  } catch (error) {
    return error instanceof TRPCError && error.cause instanceof AnnealError ? error.cause.code : String(error);
  }
}

const identityOf = (role: Role) =>
  createIdentity({ userId: "u", email: "ada@example.com", workspaceId: "w", role, via: { kind: "session" } });

describe("authorization", () => {
  it("has procedures to guard", () => {
    expect(procedures.length).toBeGreaterThan(20);
  });

  it.each(procedures)("%s answers nobody who is not signed in", async (path) => {
    expect(await codeOf(path, undefined)).toBe("UNAUTHENTICATED");
  });

  it.each([
    "access.members",
    "access.addMember",
    "access.setRole",
    "access.removeMember",
    "pools.setCordoned",
    "pools.saveTeam",
    "pools.setServingTarget",
  ])("%s is an administrator's", async (path) => {
    for (const role of ["data_scientist", "operator", "member", "service"] as const)
      expect(await codeOf(path, identityOf(role))).toBe("FORBIDDEN");
  });

  it.each([
    "connect.check",
    "connect.checkDraft",
    "connect.beginSignIn",
    "connect.pollSignIn",
    "connect.create",
    "connect.update",
    "connect.remove",
    "connect.pause",
    "connect.resume",
    "connect.cancel",
    "connect.retry",
    "connect.setSchedulePaused",
    "connect.validate",
    "documents.restore",
    "documents.restoreDeleted",
    "documents.release",
    "documents.retry",
    "loop.start",
    "loop.cancel",
    "connect.sync",
    "deploy.preview",
    "deploy.start",
    "pools.overview",
    "deploy.abandon",
    "train.stop",
    "train.again",
  ])("%s is not a member's", async (path) => {
    for (const role of ["member", "service"] as const) expect(await codeOf(path, identityOf(role))).toBe("FORBIDDEN");
  });

  it.each([
    "connect.checkDraft",
    "connect.validate",
    "documents.restore",
    "documents.restoreDeleted",
    "documents.release",
    "train.stop",
    "train.again",
  ])("%s is not an operator's", async (path) => {
    expect(await codeOf(path, identityOf("operator"))).toBe("FORBIDDEN");
  });
});

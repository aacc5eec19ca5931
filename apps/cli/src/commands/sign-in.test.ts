import { AnnealError } from "@anneal/core/errors";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { signIn, wantsSignIn } from "./sign-in.ts";

const offer = { field: "permission", value: "delegated", with: "Microsoft" };
const source = { kind: "sharepoint", config: { permission: "delegated" } };
const begun = {
  signInId: "s1",
  userCode: "ABCD1234",
  verificationUri: "https://microsoft.com/devicelogin",
  intervalMs: 1,
};

/** A portal that answers polls one after the other. */
function portalOf(polls: readonly (object | AnnealError)[]): PortalClient & { asked: unknown[] } {
  const asked: unknown[] = [];
  const left = [...polls];
  return {
    url: "http://portal.example",
    asked,
    query: async () => expect.fail("nothing is queried"),
    ask: async () => expect.fail("nothing is asked"),
    async mutate<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
      asked.push([procedure, input]);
      if (procedure === "connect.beginSignIn") return output.parse(begun);
      const next = left.shift();
      if (next instanceof AnnealError) throw next;
      return output.parse(next);
    },
  };
}

describe("signing in from the command line", () => {
  it("shows the code and where to enter it, waits, and says who signed in", async () => {
    const portal = portalOf([
      { status: "waiting", retryInMs: 1 },
      { status: "waiting", retryInMs: 1 },
      { status: "done", account: "ann@contoso.example" },
    ]);
    const said: string[] = [];
    expect(await signIn(portal, source, (line) => said.push(line))).toBe("s1");
    expect(said).toEqual([
      "▸ Open https://microsoft.com/devicelogin and enter the code ABCD1234. Waiting …",
      "✓ Signed in as ann@contoso.example.",
    ]);
    expect(portal.asked).toEqual([
      ["connect.beginSignIn", source],
      ...Array.from({ length: 3 }, () => ["connect.pollSignIn", { signInId: "s1" }]),
    ]);
  });

  it("ends with how the sign-in ended", async () => {
    const declined = new AnnealError("SOURCE_FORBIDDEN", "The sign-in was declined.", { action: "Sign in again." });
    await expect(signIn(portalOf([declined]), source, () => undefined)).rejects.toBe(declined);
  });

  it("is offered by a kind, and wanted by a setting", () => {
    expect(wantsSignIn(offer, { permission: "delegated" })).toBe(true);
    expect(wantsSignIn(offer, { permission: "application" })).toBe(false);
    expect(wantsSignIn(offer, {})).toBe(false);
    expect(wantsSignIn(null, { permission: "delegated" })).toBe(false);
  });
});

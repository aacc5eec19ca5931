import { AnnealError } from "@anneal/core/errors";
import { describe, expect, it } from "vitest";
import { readWriteAccess } from "./write-access.ts";

const place = { user: "reader", database: "shop" };
const userGrants = ["GRANT USAGE ON *.* TO `reader`@`%`", "GRANT SELECT ON `shop`.* TO `reader`@`%`"];

/**
 * MySQL 8 as its manual has it: SHOW GRANTS names the roles, and USING merges what they bring into the user's own.
 *
 * @param roles what each brings besides reading, or null where it is refused
 */
function mysql(roles: Record<string, string | null>, active = "NONE") {
  const asked: string[] = [];
  const names = Object.keys(roles).map((role) => `\`${role}\`@\`%\``);
  const roleLines = names.length === 0 ? [] : [`GRANT ${names.join(",")} TO \`reader\`@\`%\``];
  const ask = async (sql: string) => {
    asked.push(sql);
    if (sql === "SELECT CURRENT_ROLE()") return [[active]];
    const role = /USING `(.*)`@`%`$/.exec(sql)?.[1];
    const brought = role === undefined ? "" : roles[role];
    if (brought === null) throw new AnnealError("SOURCE_FORBIDDEN", "no", { action: "ask" });
    const merged = brought ? `GRANT SELECT, ${brought} ON \`shop\`.* TO \`reader\`@\`%\`` : userGrants[1]!;
    return [userGrants[0]!, merged, ...roleLines].map((line) => [line]);
  };
  return { session: { ask, isMariaDb: false, hasRoles: true }, asked };
}

describe("readWriteAccess", () => {
  it("counts a role that is not switched on, and names what it brings and how to take it away", async () => {
    const { session } = mysql({ readers: "", writers: "INSERT, DELETE" });
    expect(await readWriteAccess(session, place)).toEqual({
      writes: "yes",
      remedy: "REVOKE `writers`@`%` FROM `reader`@`%`; (which brings INSERT, DELETE ON `shop`.*)",
    });
  });

  it("says that a user with roles that read can only read, and asks once for each", async () => {
    const { session, asked } = mysql({ readers: "" }, "`readers`@`%`");
    expect(await readWriteAccess(session, place)).toEqual({ writes: "no" });
    expect(asked).toEqual([
      "SHOW GRANTS",
      "SELECT CURRENT_ROLE()",
      "SHOW GRANTS FOR CURRENT_USER() USING `readers`@`%`",
    ]);
  });

  it("does not take a role whose grants it may not see for one that reads", async () => {
    const { session } = mysql({ hidden: null });
    expect(await readWriteAccess(session, place)).toMatchObject({
      writes: "unknown",
      reason: "the server does not tell what `hidden`@`%` may do.",
    });
  });

  it("asks an older server for no roles", async () => {
    const { session, asked } = mysql({});
    expect(await readWriteAccess({ ...session, hasRoles: false }, place)).toEqual({ writes: "no" });
    expect(asked).toEqual(["SHOW GRANTS"]);
  });
});

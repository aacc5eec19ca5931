import { describe, expect, it } from "vitest";
import { restConfigSchema, type RestConfig } from "./config.ts";
import { listToldGroups } from "./told-groups.ts";

async function toldOf(groups: unknown[], config: Partial<RestConfig> = {}): Promise<string[]> {
  const pages = async function* () {
    for (const group of groups) yield { items: [group], answeredAtMs: 0, total: null };
  };
  const listing = { list: pages, listGroups: pages, mayShift: false };
  const parsed = restConfigSchema.parse({ url: "https://desk.example", id: "id", ...config });
  return [...(await listToldGroups(parsed, listing))].sort();
}

describe("listToldGroups", () => {
  it("names the groups whose members are known, through groups in groups and in themselves", async () => {
    const groups = [
      { id: "staff", members: ["finance", "bob@acme.example"] },
      { id: "finance", members: ["ann@acme.example"] },
      { id: "empty", members: [] },
      { id: "loop", members: ["loop", "staff"] },
    ];
    expect(await toldOf(groups)).toEqual(["empty", "finance", "loop", "staff"]);
  });

  it("leaves out a group whose members cannot be read, and every group that it is in", async () => {
    const groups = [
      { id: "whole", members: ["ann@acme.example"] },
      { id: "secret" },
      { id: "broken", members: { error: "the directory does not answer" } },
      { id: "twice", members: ["ann@acme.example"] },
      { id: "twice", members: null },
      { id: "over", members: ["ann@acme.example", "secret"] },
      { id: "above", members: ["over"] },
      { id: "unlisted", members: ["board"] },
    ];
    expect(await toldOf(groups)).toEqual(["whole"]);
  });

  it("leaves out a group of which a member has no name", async () => {
    const groups = [
      { id: "whole", members: [{ email: "ann@acme.example" }, { email: "bob@acme.example" }] },
      { id: "half", members: [{ email: "ann@acme.example" }, {}] },
      { id: "none" },
    ];
    expect(await toldOf(groups, { groupMembers: "members[*].email" })).toEqual(["whole"]);
  });
});

import type { Principal } from "@anneal/core/access/acl";
import { describe, expect, it } from "vitest";
import { smbConfigSchema } from "./config.ts";
import { readShareAcl } from "./share-access.ts";

const principalOf = (id: string): Principal => ({ source: "smb", tenant: "files", kind: "group", id });

describe("readShareAcl", () => {
  const config = smbConfigSchema.parse({ host: "files.example.com", share: "docs", user: "ann" });
  /** A session whose server refuses to tell. */
  const refusing = {
    request: async <T>(_op: Record<string, unknown>, schema: { parse(value: unknown): T }) =>
      schema.parse({ share: { error: "STATUS_ACCESS_DENIED" } }),
    received: () => {},
    isSamba: false,
    lost: () => null,
    close() {},
  };

  it("admits nobody to a share that does not tell whom it admits, until somebody says that it is everybody", async () => {
    await expect(readShareAcl(refusing, config, principalOf)).rejects.toMatchObject({
      code: "SOURCE_FORBIDDEN",
      action: expect.stringContaining("Share Permissions"),
    });
    expect(await readShareAcl(refusing, { ...config, shareAdmitsEverybody: true }, principalOf)).toBeNull();
  });
});

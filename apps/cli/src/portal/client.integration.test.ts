import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { createPortalClient } from "./client.ts";

it("hands on what the portal reports, its details too", async () => {
  const report = {
    code: "SOURCE_FORBIDDEN",
    message: "Users cannot be listed.",
    action: "Grant User.Read.All.",
    details: { checks: [{ capability: "read", status: "ok", message: "It can be read." }] },
  };
  const server = createServer((_, response) => {
    response.writeHead(422, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { json: { data: { report: { ...report, id: "1" } } } } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const portal = createPortalClient({ url, workspace: "default", apiKey: "k" });
  await expect(portal.mutate("connect.check", {}, z.unknown())).rejects.toMatchObject(report);
});

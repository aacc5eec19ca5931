import { findBrokenLink } from "@anneal/core/audit/chain";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "../../testing/document-fixture.ts";
import { refusalOf } from "../../testing/refusal-of.ts";
import { addWorkspace } from "../../testing/source-fixture.ts";
import { startTestDatabase, type TestDatabase } from "../../testing/start-test-database.ts";
import { inWorkspace, openDatabase, type DatabaseHandle, type Scope } from "../database.ts";
import { exportAuditChain, recordAudit } from "./audit.ts";
import { auditEvents } from "../schema.ts";

let test: TestDatabase;
/** The schema's owner, a superuser: what an attacker with the database in hand could do. */
let owner: DatabaseHandle;
let scope: Scope;

beforeAll(async () => {
  test = await startTestDatabase();
  owner = openDatabase(test.ownerUrl);
});
afterAll(async () => {
  await owner?.close();
  await test?.stop();
});
beforeEach(async () => {
  scope = await addWorkspace(test.db);
});

describe("the audit trail", () => {
  const act = (subject: string) => recordAudit(scope, { actor: "ada@example.com", action: "test.act", subject });

  it("is one unbroken chain, also when many write at once", async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => act(`thing:${index}`)));
    const chain = await exportAuditChain(scope);
    expect(chain).toHaveLength(12);
    expect(findBrokenLink(chain, sha256)).toBeNull();
  });

  it("shows where somebody with the database in hand changed, removed or swapped an event", async () => {
    for (const subject of ["a", "b", "c", "d"]) await act(subject);
    const tamper = (statement: string) =>
      owner.pool.query(`begin; alter table audit_events disable trigger append_only; ${statement};
        alter table audit_events enable trigger append_only; commit`);
    const mine = `workspace_id = '${scope.workspaceId}'`;
    await tamper(`update audit_events set allowed = false where ${mine} and subject = 'c'`);
    expect(findBrokenLink(await exportAuditChain(scope), sha256)).toBe(2);
    await tamper(`update audit_events set allowed = true where ${mine} and subject = 'c'`);
    expect(findBrokenLink(await exportAuditChain(scope), sha256)).toBeNull();
    await tamper(`delete from audit_events where ${mine} and subject = 'b'`);
    expect(findBrokenLink(await exportAuditChain(scope), sha256)).toBe(1);
  });

  it("cannot be changed or deleted by the apps", async () => {
    await act("a");
    const change = inWorkspace(scope, (tx) => tx.update(auditEvents).set({ actor: "nobody" }));
    expect(await refusalOf(change)).toMatch(/permission denied|append-only/);
    const removal = inWorkspace(scope, (tx) => tx.delete(auditEvents));
    expect(await refusalOf(removal)).toMatch(/permission denied|append-only/);
    expect(findBrokenLink(await exportAuditChain(scope), sha256)).toBeNull();
  });
});

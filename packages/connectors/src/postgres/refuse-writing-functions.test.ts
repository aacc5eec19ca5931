import { describe, expect, it } from "vitest";
import { AnnealError } from "@anneal/core/errors";
import { postgresDialect } from "./postgres-dialect.ts";

const refusal = (sql: string) => {
  try {
    postgresDialect.wrapQuery(sql, "notes");
    return null;
  } catch (error) {
    return error instanceof AnnealError ? `${error.code}: ${error.message}` : error;
  }
};

describe("a query of PostgreSQL", () => {
  it.each([
    ["SELECT lo_from_bytea(0, 'x')", "lo_from_bytea"],
    ["SELECT pg_catalog.lo_unlink(id) FROM notes", "lo_unlink"],
    ['SELECT id, "lo_create" /* a */ (0) FROM notes', "lo_create"],
    ["SELECT LOWRITE(lo_open(1, 131072), 'x')", "LOWRITE"],
    ["SELECT lo_export(1, '/tmp/x')", "lo_export"],
    ["SELECT * FROM dblink('dbname=shop', 'DELETE FROM notes RETURNING id') AS t (id int)", "dblink"],
    ["SELECT dblink_exec('c', 'DROP TABLE notes')", "dblink_exec"],
    ["SELECT pg_terminate_backend(pid) FROM pg_stat_activity", "pg_terminate_backend"],
    ["SELECT pg_file_write('x', 'y', false)", "pg_file_write"],
    ["SELECT pg_reload_conf()", "pg_reload_conf"],
    ["SELECT pg_drop_replication_slot('s')", "pg_drop_replication_slot"],
    ["SELECT pg_create_logical_replication_slot('s', 'pgoutput')", "pg_create_logical_replication_slot"],
    ["SELECT pg_logical_slot_get_changes('s', NULL, NULL)", "pg_logical_slot_get_changes"],
    ["SELECT pg_stat_reset()", "pg_stat_reset"],
    ["SELECT pg_notify('jobs', id::text) FROM notes", "pg_notify"],
    ["SELECT pg_try_advisory_lock(1)", "pg_try_advisory_lock"],
    ["SELECT query_to_xml('SELECT l' || 'o_create(0)', true, true, '')", "query_to_xml"],
    ["SELECT * FROM crosstab('SELECT 1, 2, 3') AS t (a int, b int)", "crosstab"],
  ])("is refused for a function that does more than read: %s", (sql, name) => {
    expect(refusal(sql)).toContain(`FORBIDDEN: "notes" must only read, and names ${name}, which`);
  });

  it("is refused where a name is written with escapes, which could be any of these", () => {
    expect(refusal(String.raw`SELECT U&"lo\005fcreate"(0)`)).toContain("FORBIDDEN");
  });

  it("may use whatever reads, and names that only look alike", () => {
    for (const sql of [
      "SELECT id, lo_get(picture) FROM notes WHERE lo_price < 3 AND dblinks > 0",
      "SELECT my_lo_create, lo_create_date, pg_size_pretty(pg_total_relation_size('notes')) FROM notes",
      "SELECT 'U&I' AS title, pg_advisory FROM notes -- crosstable",
    ]) {
      expect(refusal(sql)).toBeNull();
    }
  });
});

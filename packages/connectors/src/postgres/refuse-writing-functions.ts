import { AnnealError } from "@anneal/core/errors";

/** Up to PostgreSQL 15 they write large objects in a transaction that only reads; to read one needs none of them. */
const largeObjects =
  "lo_creat|lo_create|lo_from_bytea|lo_put|lo_unlink|lo_import|lo_import_with_oid|lo_truncate|lo_truncate64|lowrite";

const serverFiles = "lo_export|pg_file_(?:write|rename|unlink|sync)";

/** Another connection has a transaction of its own, which does not only read. */
const otherConnections = String.raw`dblink(?:_\w+)?`;

/** Sessions of others, the server's settings, log and counters, its replicas and who waits for whom. */
const serverState = [
  "pg_(?:cancel|terminate)_backend",
  "pg_(?:reload_conf|rotate_logfile(?:_old)?|log_backend_memory_contexts|log_standby_snapshot|nextoid)",
  "pg_(?:promote|switch_(?:wal|xlog)|create_restore_point|backup_(?:start|stop)|(?:start|stop)_backup)",
  "pg_(?:wal|xlog)_replay_(?:pause|resume)",
  String.raw`pg_(?:create|copy)_\w+_replication_slot|pg_drop_replication_slot|pg_replication_slot_advance|pg_sync_replication_slots`,
  String.raw`pg_replication_origin_(?:create|drop|advance|session_\w+|xact_\w+)`,
  "pg_logical_emit_message|pg_logical_slot_get_(?:binary_)?changes",
  String.raw`pg_stat_reset(?:_\w+)?|pg_stat_statements_reset`,
  "pg_(?:restore|clear)_(?:relation|attribute|extended)_stats",
  "pg_notify",
  String.raw`pg_(?:try_)?advisory_(?:xact_)?lock(?:_shared)?`,
].join("|");

/** They run a statement that is given as a text, which may be put together from pieces. */
const runners = String.raw`query_to_xml(?:schema|_and_xmlschema)?|cursor_to_xml\w*|ts_stat|ts_rewrite|crosstab(?:\d+|_hash)?|connectby|xpath_table`;

const forbidden = new RegExp(
  String.raw`(?<![\w$])(?:${[largeObjects, serverFiles, otherConnections, serverState, runners].join("|")})(?![\w$])`,
  "i",
);

/**
 * A transaction that only reads refuses what writes to tables and sequences. What else a function of the server can do
 * from inside one is refused by its name, wherever in the query it stands: in a text or a comment it may be harmless,
 * but where those end is the server's to say. A function or a view of one's own may still call it, which is not told.
 * https://www.postgresql.org/docs/current/sql-set-transaction.html
 *
 * @throws AnnealError FORBIDDEN
 */
export function refuseWritingFunctions(sql: string, name: string): void {
  const called = forbidden.exec(sql)?.[0];
  if (called !== undefined) {
    throw new AnnealError(
      "FORBIDDEN",
      `"${name}" must only read, and names ${called}, which changes more than a transaction that only reads prevents, or hides what is run.`,
      { action: "Give a SELECT that does not name it, not in a text or a comment either." },
    );
  }
  if (/U&\s*"/i.test(sql)) {
    throw new AnnealError("FORBIDDEN", `"${name}" writes a name with escapes (U&"…"), which hides what is called.`, {
      action: "Write the name as it is, in quotation marks.",
    });
  }
}

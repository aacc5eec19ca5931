-- Row-level security: what a query forgets, the database refuses. `app.workspace_id` is set per transaction by
-- `inWorkspace`; unset means no rows. FORCE, because the application's role may own the tables.
-- Left out: tables that are read before a workspace is known (memberships, api_keys) and the shared infrastructure
-- (replicas, residencies, gateways, pools, allocations).
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY[
    'model_grants', 'audit_events', 'sources', 'documents', 'runs', 'run_stages', 'run_drops', 'document_pairs',
    'dataset_versions', 'dataset_pairs', 'training_runs', 'training_metrics', 'training_log', 'adapters',
    'adapter_versions', 'alias_history', 'deployments', 'collections', 'chunks', 'assistants', 'conversations',
    'messages', 'token_usage'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format(
      'CREATE POLICY workspace_isolation ON %I USING (workspace_id = nullif(current_setting(''app.workspace_id'', true), '''')::uuid)', t);
  END LOOP;
END $$;
--> statement-breakpoint
-- The audit trail and the alias history are append-only, for everyone who is not a superuser.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER append_only BEFORE UPDATE ON alias_history FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
-- It may go only with its whole workspace: a cascade reaches it from within another trigger.
CREATE TRIGGER append_only_rows BEFORE DELETE ON alias_history FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
-- Live pages: every change of a watched table is announced once per statement and workspace. Listeners refetch; the
-- payload carries no data. PostgreSQL folds equal payloads of one transaction into one.
CREATE FUNCTION announce_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed uuid;
BEGIN
  IF TG_ARGV[0] = 'shared' THEN
    PERFORM pg_notify('anneal_changes', json_build_object('table', TG_TABLE_NAME, 'workspaceId', NULL)::text);
  ELSE
    FOR changed IN SELECT DISTINCT workspace_id FROM affected LOOP
      PERFORM pg_notify('anneal_changes', json_build_object('table', TG_TABLE_NAME, 'workspaceId', changed)::text);
    END LOOP;
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY[
    'memberships', 'api_keys', 'model_grants', 'audit_events', 'sources', 'documents', 'runs', 'run_stages',
    'dataset_versions', 'training_runs', 'training_metrics', 'training_log', 'adapters', 'adapter_versions',
    'alias_history', 'deployments', 'collections', 'assistants', 'conversations', 'messages'
  ] LOOP
    EXECUTE format('CREATE TRIGGER announce_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change(''workspace'')', t);
    EXECUTE format('CREATE TRIGGER announce_update AFTER UPDATE ON %I REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change(''workspace'')', t);
    EXECUTE format('CREATE TRIGGER announce_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change(''workspace'')', t);
  END LOOP;
  FOREACH t IN ARRAY ARRAY['replicas', 'residencies', 'pools', 'allocations'] LOOP
    EXECUTE format('CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH STATEMENT EXECUTE FUNCTION announce_change(''shared'')', t);
  END LOOP;
END $$;
--> statement-breakpoint
-- Gateways learn of an alias flip with its epoch, so that a deployment can wait until all of them route by it.
CREATE FUNCTION announce_alias() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('anneal_aliases', json_build_object('workspaceId', NEW.workspace_id, 'epoch', NEW.seq)::text);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER announce_alias AFTER INSERT ON alias_history FOR EACH ROW EXECUTE FUNCTION announce_alias();

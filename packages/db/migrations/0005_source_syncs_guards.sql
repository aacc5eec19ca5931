-- As in 0001_guards.sql, for the tables that came with 0004.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['source_drafts', 'source_syncs'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format(
      'CREATE POLICY workspace_isolation ON %I USING (workspace_id = nullif(current_setting(''app.workspace_id'', true), '''')::uuid)', t);
  END LOOP;
END $$;
--> statement-breakpoint
CREATE TRIGGER announce_insert AFTER INSERT ON source_syncs REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change('workspace');
--> statement-breakpoint
CREATE TRIGGER announce_update AFTER UPDATE ON source_syncs REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change('workspace');
--> statement-breakpoint
CREATE TRIGGER announce_delete AFTER DELETE ON source_syncs REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change('workspace');

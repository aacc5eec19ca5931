-- As in 0001_guards.sql, for the tables that came with 0012.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['directory_users', 'directory_members'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format(
      'CREATE POLICY workspace_isolation ON %I USING (workspace_id = nullif(current_setting(''app.workspace_id'', true), '''')::uuid)', t);
    EXECUTE format('CREATE TRIGGER announce_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change(''workspace'')', t);
    EXECUTE format('CREATE TRIGGER announce_update AFTER UPDATE ON %I REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change(''workspace'')', t);
    EXECUTE format('CREATE TRIGGER announce_delete AFTER DELETE ON %I REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change(''workspace'')', t);
  END LOOP;
END $$;

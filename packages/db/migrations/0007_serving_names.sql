-- Whether an alias points at a serving name or a running deployment brings it, in any workspace: engines are shared, and
-- equal adapters of two workspaces have the same name. Row-level security shows one workspace at a time, so each is
-- looked into in turn, with no right that the caller lacks; SET gives the caller its own workspace back at the end.
CREATE FUNCTION serving_name_in_use(wanted text) RETURNS boolean LANGUAGE plpgsql SET "app.workspace_id" = '' AS $$
DECLARE workspace uuid;
BEGIN
  FOR workspace IN SELECT id FROM workspaces LOOP
    PERFORM set_config('app.workspace_id', workspace::text, true);
    IF EXISTS (
      SELECT FROM deployments d
      WHERE d.workspace_id = workspace AND d.serving_name = wanted AND d.status = 'running'
    ) OR EXISTS (
      SELECT FROM alias_history a
      WHERE a.workspace_id = workspace AND a.serving_name = wanted AND NOT EXISTS (
        SELECT FROM alias_history newer
        WHERE newer.adapter_id = a.adapter_id AND newer.alias = a.alias AND newer.seq > a.seq
      )
    ) THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END $$;

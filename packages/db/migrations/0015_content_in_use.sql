-- Whether a document of any workspace has this content: equal bytes are stored once. As with serving names (0007), each
-- workspace is looked into in turn, with no right that the caller lacks.
CREATE FUNCTION content_in_use(wanted text) RETURNS boolean LANGUAGE plpgsql SET "app.workspace_id" = '' AS $$
DECLARE workspace uuid;
BEGIN
  FOR workspace IN SELECT id FROM workspaces LOOP
    PERFORM set_config('app.workspace_id', workspace::text, true);
    IF EXISTS (SELECT FROM documents d WHERE d.workspace_id = workspace AND d.content_key = wanted) THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END $$;

-- As in 0001_guards.sql, for the table that came with 0016. Nobody watches it.
ALTER TABLE reader_changes ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE reader_changes FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY workspace_isolation ON reader_changes USING (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid);
--> statement-breakpoint
-- Whatever changes who finds a document leaves its trace in the same transaction. A workspace without a collection has no
-- index to tell.
CREATE FUNCTION note_reader_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM collections WHERE workspace_id = NEW.workspace_id) THEN
    INSERT INTO reader_changes (workspace_id, document_id) VALUES (NEW.workspace_id, NEW.id);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER note_reader_change AFTER UPDATE OF acl, deleted_at ON documents FOR EACH ROW
  WHEN (OLD.acl IS DISTINCT FROM NEW.acl OR (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL))
  EXECUTE FUNCTION note_reader_change();

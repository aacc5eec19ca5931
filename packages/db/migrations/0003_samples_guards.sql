-- In the words of 0001_guards.sql.
ALTER TABLE training_samples ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE training_samples FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY workspace_isolation ON training_samples USING (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid);
--> statement-breakpoint
CREATE TRIGGER announce_insert AFTER INSERT ON training_samples REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change('workspace');
--> statement-breakpoint
CREATE TRIGGER announce_update AFTER UPDATE ON training_samples REFERENCING NEW TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change('workspace');
--> statement-breakpoint
CREATE TRIGGER announce_delete AFTER DELETE ON training_samples REFERENCING OLD TABLE AS affected FOR EACH STATEMENT EXECUTE FUNCTION announce_change('workspace');

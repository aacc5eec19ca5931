-- As in 0001_guards.sql, for the table that came with 0023. Nobody follows its changes.
ALTER TABLE "directory_words" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "directory_words" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE POLICY workspace_isolation ON "directory_words" USING (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid);

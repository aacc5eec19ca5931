-- As in 0001_guards.sql, for the table that came with 0025. Nobody follows its changes.
ALTER TABLE "source_journal" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "source_journal" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE POLICY workspace_isolation ON "source_journal" USING (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid);

CREATE TABLE "source_journal" (
	"workspace_id" uuid NOT NULL,
	"source_id" uuid NOT NULL,
	"seq" bigserial NOT NULL,
	"entry" jsonb NOT NULL,
	CONSTRAINT "source_journal_source_id_seq_pk" PRIMARY KEY("source_id","seq")
);
--> statement-breakpoint
ALTER TABLE "source_journal" ADD CONSTRAINT "source_journal_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "source_journal" ADD CONSTRAINT "source_journal_source_id_sources_id_fk" FOREIGN KEY ("source_id") REFERENCES "public"."sources"("id") ON DELETE cascade ON UPDATE no action;
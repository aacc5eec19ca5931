ALTER TABLE "source_syncs" ADD COLUMN "revision" integer;--> statement-breakpoint
ALTER TABLE "sources" ADD COLUMN "revision" integer DEFAULT 0 NOT NULL;
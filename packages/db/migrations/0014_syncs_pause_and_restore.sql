ALTER TABLE "documents" ADD COLUMN "restored_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "documents" ADD COLUMN "restored_by" text;--> statement-breakpoint
ALTER TABLE "source_syncs" ADD COLUMN "workflow_id" text;--> statement-breakpoint
ALTER TABLE "source_syncs" ADD COLUMN "failures" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "source_syncs" ADD COLUMN "bytes" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "source_syncs" ADD COLUMN "progress" jsonb;--> statement-breakpoint
ALTER TABLE "source_syncs" ADD COLUMN "pause_requested_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "sources" ADD COLUMN "schedule_paused" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "documents_content" ON "documents" USING btree ("content_key");--> statement-breakpoint
CREATE INDEX "documents_deleted" ON "documents" USING btree ("deleted_at");
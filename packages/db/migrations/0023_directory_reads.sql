ALTER TABLE "sources" ADD COLUMN "directory_read_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "sources" ADD COLUMN "directory_error" jsonb;
CREATE TABLE "directory_words" (
	"workspace_id" uuid NOT NULL,
	"key" text NOT NULL,
	"begun_at" timestamp with time zone NOT NULL,
	CONSTRAINT "directory_words_workspace_id_key_pk" PRIMARY KEY("workspace_id","key")
);
--> statement-breakpoint
ALTER TABLE "sources" ADD COLUMN "directory_read_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "sources" ADD COLUMN "directory_read_ms" integer;--> statement-breakpoint
ALTER TABLE "sources" ADD COLUMN "directory_error" jsonb;--> statement-breakpoint
ALTER TABLE "directory_words" ADD CONSTRAINT "directory_words_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;
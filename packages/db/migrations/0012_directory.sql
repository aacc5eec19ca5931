CREATE TABLE "directory_members" (
	"workspace_id" uuid NOT NULL,
	"source_id" uuid NOT NULL,
	"group_key" text NOT NULL,
	"group" jsonb NOT NULL,
	"group_name" text NOT NULL,
	"member_key" text NOT NULL,
	"enumeration" uuid NOT NULL,
	CONSTRAINT "directory_members_workspace_id_group_key_member_key_pk" PRIMARY KEY("workspace_id","group_key","member_key")
);
--> statement-breakpoint
CREATE TABLE "directory_users" (
	"workspace_id" uuid NOT NULL,
	"source_id" uuid NOT NULL,
	"key" text NOT NULL,
	"principal" jsonb NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"enumeration" uuid NOT NULL,
	CONSTRAINT "directory_users_workspace_id_key_email_pk" PRIMARY KEY("workspace_id","key","email")
);
--> statement-breakpoint
ALTER TABLE "directory_members" ADD CONSTRAINT "directory_members_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "directory_members" ADD CONSTRAINT "directory_members_source_id_sources_id_fk" FOREIGN KEY ("source_id") REFERENCES "public"."sources"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "directory_users" ADD CONSTRAINT "directory_users_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "directory_users" ADD CONSTRAINT "directory_users_source_id_sources_id_fk" FOREIGN KEY ("source_id") REFERENCES "public"."sources"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "directory_members_member" ON "directory_members" USING btree ("workspace_id","member_key");--> statement-breakpoint
CREATE INDEX "directory_members_source" ON "directory_members" USING btree ("source_id");--> statement-breakpoint
CREATE INDEX "directory_users_email" ON "directory_users" USING btree ("workspace_id","email");--> statement-breakpoint
CREATE INDEX "directory_users_source" ON "directory_users" USING btree ("source_id");
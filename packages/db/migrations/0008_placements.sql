CREATE TABLE "placements" (
	"subject" text PRIMARY KEY NOT NULL,
	"workspace_id" uuid,
	"status" text NOT NULL,
	"request" jsonb NOT NULL,
	"members" jsonb NOT NULL,
	"reason" text NOT NULL,
	"action" text,
	"predicted_bytes" bigint NOT NULL,
	"breakdown" jsonb NOT NULL,
	"measured_bytes" bigint,
	"requested_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "scheduler" (
	"id" integer PRIMARY KEY NOT NULL,
	"now_ms" bigint NOT NULL,
	"demand" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "serving_targets" (
	"base_model" text PRIMARY KEY NOT NULL,
	"mode" text NOT NULL,
	"desired" integer NOT NULL,
	"min_replicas" integer NOT NULL,
	"max_replicas" integer NOT NULL,
	"reasons" jsonb NOT NULL,
	"controller" jsonb,
	"decided_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "teams" (
	"name" text PRIMARY KEY NOT NULL,
	"workspace_id" uuid,
	"spec" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "pools" ADD COLUMN "kinds" jsonb;--> statement-breakpoint
ALTER TABLE "pools" ADD COLUMN "serving_reserve_gpu_milli" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "replicas" ADD COLUMN "draining_since" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "replicas" ADD COLUMN "managed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "placements_status" ON "placements" USING btree ("status");
CREATE TABLE "training_samples" (
	"training_run_id" uuid NOT NULL,
	"workspace_id" uuid NOT NULL,
	"step" integer NOT NULL,
	"samples" jsonb NOT NULL,
	CONSTRAINT "training_samples_training_run_id_step_pk" PRIMARY KEY("training_run_id","step")
);
--> statement-breakpoint
ALTER TABLE "deployments" ADD COLUMN "workflow_id" text;--> statement-breakpoint
ALTER TABLE "training_samples" ADD CONSTRAINT "training_samples_training_run_id_training_runs_id_fk" FOREIGN KEY ("training_run_id") REFERENCES "public"."training_runs"("id") ON DELETE cascade ON UPDATE no action;
CREATE TABLE "reader_changes" (
	"seq" bigserial PRIMARY KEY NOT NULL,
	"workspace_id" uuid NOT NULL,
	"document_id" uuid NOT NULL,
	"with_copies" boolean DEFAULT true NOT NULL
);
--> statement-breakpoint
ALTER TABLE "reader_changes" ADD CONSTRAINT "reader_changes_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "public"."documents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "reader_changes_order" ON "reader_changes" USING btree ("workspace_id","seq");--> statement-breakpoint
CREATE INDEX "reader_changes_document" ON "reader_changes" USING btree ("document_id");
-- A program of the release before finds no index for its "on conflict (source_id, ref)": while it still runs it cannot
-- quarantine a new ref, and that sync is tried again.
DROP INDEX "documents_ref";--> statement-breakpoint
ALTER TABLE "documents" ADD COLUMN "ref_digest" "bytea";--> statement-breakpoint
-- An owner who is no superuser sees the rows of every workspace only without FORCE.
ALTER TABLE "documents" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
UPDATE "documents" SET "ref_digest" = sha256(convert_to("ref", 'UTF8')) WHERE octet_length("ref") > 2000;--> statement-breakpoint
ALTER TABLE "documents" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE UNIQUE INDEX "documents_long_ref" ON "documents" USING btree ("source_id","ref_digest") WHERE "documents"."ref_digest" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "documents_ref" ON "documents" USING btree ("source_id","ref" collate "C") WHERE "documents"."ref_digest" is null;--> statement-breakpoint
ALTER TABLE "documents" ADD CONSTRAINT "documents_ref_digest" CHECK (("documents"."ref_digest" is null) = (octet_length("documents"."ref") <= 2000));

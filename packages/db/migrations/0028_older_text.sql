ALTER TABLE "documents" ADD COLUMN "indexed_hash" text;--> statement-breakpoint
ALTER TABLE "documents" ADD COLUMN "withdrawn" boolean DEFAULT false NOT NULL;--> statement-breakpoint
-- An owner who is no superuser sees the rows of every workspace only without FORCE.
ALTER TABLE "documents" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "chunks" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
-- What waits to be cleaned may have passages of an older content.
UPDATE "documents" SET "indexed_hash" = "content_hash"
WHERE "status" = 'kept' AND EXISTS (SELECT FROM "chunks" WHERE "chunks"."document_id" = "documents"."id");--> statement-breakpoint
ALTER TABLE "chunks" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "documents" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
-- Whom a document admits may read it as it is. What was made of an older content, its text and its passages, they may never
-- have been shown: as soon as it admits somebody more, nobody is, until the next run has made both anew.
CREATE FUNCTION withdraw_older_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status = 'fetched' THEN
    NEW.clean_key := NULL;
    NEW.clean_digest := NULL;
  END IF;
  NEW.withdrawn := NEW.withdrawn OR NEW.indexed_hash IS DISTINCT FROM NEW.content_hash;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER withdraw_older_text BEFORE UPDATE OF acl ON documents FOR EACH ROW
  WHEN (NOT ((OLD.acl->'allow') @> (NEW.acl->'allow') AND (NEW.acl->'deny') @> (OLD.acl->'deny')))
  EXECUTE FUNCTION withdraw_older_text();

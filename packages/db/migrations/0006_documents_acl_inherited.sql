-- Documents that have their source's default follow it from now on, also where it was changed before. The only connector
-- with permissions of its own said in the fingerprint whose they are.
ALTER TABLE "documents" ADD COLUMN "acl_inherited" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "documents" ALTER COLUMN "acl_inherited" DROP DEFAULT;--> statement-breakpoint
-- An owner who is no superuser sees the rows of every workspace only without FORCE.
ALTER TABLE "documents" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "sources" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
UPDATE "documents" SET "acl_inherited" = false FROM "sources"
WHERE "sources"."id" = "documents"."source_id" AND "sources"."kind" = 'postgres'
  AND "documents"."content_key" <> '' AND "documents"."fingerprint" NOT LIKE '%-default';--> statement-breakpoint
UPDATE "documents" SET "acl" = "sources"."default_acl" FROM "sources"
WHERE "sources"."id" = "documents"."source_id" AND "documents"."acl_inherited" AND "documents"."acl" <> "sources"."default_acl";--> statement-breakpoint
ALTER TABLE "sources" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "documents" FORCE ROW LEVEL SECURITY;

-- What an index took of these because it compresses well; a key that is longer than 1,000 bytes is a digest from now on.
-- A program of the release before adds rows of the old form beside them while it still runs, which the next directory of
-- their source takes out.
-- An owner who is no superuser sees the rows of every workspace only without FORCE.
ALTER TABLE "directory_users" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "directory_members" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
UPDATE "directory_users" SET "key" = 'sha256:' || encode(sha256(convert_to("key", 'UTF8')), 'hex') WHERE octet_length("key") > 1000;--> statement-breakpoint
UPDATE "directory_members" SET "group_key" = 'sha256:' || encode(sha256(convert_to("group_key", 'UTF8')), 'hex') WHERE octet_length("group_key") > 1000;--> statement-breakpoint
UPDATE "directory_members" SET "member_key" = 'sha256:' || encode(sha256(convert_to("member_key", 'UTF8')), 'hex') WHERE octet_length("member_key") > 1000;--> statement-breakpoint
ALTER TABLE "directory_users" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "directory_members" FORCE ROW LEVEL SECURITY;

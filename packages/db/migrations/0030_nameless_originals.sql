-- An owner who is no superuser sees the rows of every workspace only without FORCE.
ALTER TABLE "run_drops" NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
-- Why a copy was left out named the other document, which whoever reads the copy may not be one to know of any more.
UPDATE "run_drops"
SET "reason" = regexp_replace("reason",
  '^(The text (?:is the same as|has a similarity of [0-9.]+ \(limit [0-9.]+\) to))(?: that of)? ".*", which was seen earlier\.$',
  '\1 that of a document that was seen earlier.')
WHERE "stage" = 'dedupe';--> statement-breakpoint
ALTER TABLE "run_drops" FORCE ROW LEVEL SECURITY;

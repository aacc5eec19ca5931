DROP TABLE "allocations" CASCADE;--> statement-breakpoint
ALTER TABLE "pools" DROP COLUMN "profile";
-- Machines are declared anew at each start, now in the scheduler's own words.
DELETE FROM pools;
--> statement-breakpoint
-- Live pages.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['placements', 'teams', 'serving_targets'] LOOP
    EXECUTE format('CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH STATEMENT EXECUTE FUNCTION announce_change(''shared'')', t);
  END LOOP;
END $$;

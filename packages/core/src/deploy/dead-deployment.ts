import { AnnealError } from "../errors.ts";

/** A deployment that says it runs while nobody works on it: Temporal has lost it, or it ended without a last word. */
export function deadDeployment(): AnnealError {
  return new AnnealError(
    "DEPLOYMENT_FAILED",
    "What worked on this deployment is gone, and it did not say how it ended.",
    {
      action: "Deploy again; what the alias points at is served as before.",
    },
  );
}

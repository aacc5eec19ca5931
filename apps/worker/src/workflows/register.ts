import type { StageInput } from "@anneal/core/loop/contract";
import { proxyActivities } from "@temporalio/workflow";
import type { RegisterActivities } from "../activities/register.ts";
import { runStage } from "./run-stage.ts";

const { registerAdapter } = proxyActivities<RegisterActivities>({
  startToCloseTimeout: "10 minutes",
  retry: { maximumAttempts: 5, maximumInterval: "10 seconds" },
});

export async function register(input: StageInput): Promise<void> {
  await runStage(input, "register", () => registerAdapter(input));
}

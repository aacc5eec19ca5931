import { describeClusterDriver } from "./describe-cluster-driver.ts";
import { createProcessHarness } from "./process-harness.fixture.ts";

describeClusterDriver("The process driver", createProcessHarness);

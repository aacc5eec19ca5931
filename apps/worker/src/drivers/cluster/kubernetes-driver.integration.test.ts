import { describeClusterDriver } from "./describe-cluster-driver.ts";
import { createKubernetesHarness } from "./kubernetes-harness.fixture.ts";

describeClusterDriver("The Kubernetes driver", createKubernetesHarness);

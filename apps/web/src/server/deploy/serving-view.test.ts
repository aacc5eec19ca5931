import { expect, it } from "vitest";
import type { Replica, Residency } from "@anneal/db/queries/serving";
import { toServing } from "./serving-view.ts";

const replica = (id: string, status: Replica["status"] = "ready"): Replica => ({
  id,
  url: `http://${id}`,
  baseModel: "base",
  status,
  engineStartedAt: null,
  maxLoraRank: 16,
  maxLoras: null,
  servingProfile: null,
  checkedAt: null,
  error: null,
  drainingSince: null,
  managed: true,
});
const held = (replicaId: string, observed: Residency["observed"], servingName = "support@1"): Residency => ({
  replicaId,
  servingName,
  objectPrefix: "",
  workspaceId: "w",
  desired: "resident",
  observed,
  error: null,
  updatedAt: new Date(0),
});

it("counts only engines that are ready and hold exactly this version", () => {
  const serving = toServing(
    "support@1",
    [replica("a"), replica("b"), replica("c", "down")],
    [held("a", "resident"), held("b", "resident", "support@2"), held("c", "resident")],
  );
  expect(serving).toMatchObject({ resident: 1, ready: 2 });
});

it("leaves out an engine that drains and never held it: nothing is missing there", () => {
  const replicas = [replica("a"), replica("b", "draining"), replica("c", "drained")];
  expect(toServing("support@1", replicas, []).replicas).toEqual([]);
  expect(toServing("support@1", replicas, [held("b", "resident")])).toMatchObject({
    resident: 0,
    ready: 1,
    replicas: [{ url: "http://b", status: "draining" }],
  });
});

it("lists an engine that is down, which an alias misses, and leaves out a ready one that never held it", () => {
  const { replicas } = toServing("support@1", [replica("a"), replica("b", "down")], []);
  expect(replicas.map(({ url }) => url)).toEqual(["http://b"]);
});

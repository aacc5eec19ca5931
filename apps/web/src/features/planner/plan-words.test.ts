import { expect, it } from "vitest";
import { answerSizingRequest } from "@anneal/sizing/answer";
import { makePlans } from "@anneal/sizing/plan/plan";
import { openModels } from "./open-models.ts";
import { defaultState, toBrief } from "./planner-state.ts";
import { groupRejections, launchCommand, nameRejected, sizeCommand } from "./plan-words.ts";

const { repository, licence, config } = openModels.find(({ id }) => id === "llama-3.1-8b")!;
const brief = toBrief({ ...defaultState, gpus: ["L4", "L40S"] }, { id: repository, licence, config });
const answer = makePlans(brief);

it("copies a request that answers with the very plans that are shown", () => {
  const [, request = ""] = sizeCommand(brief).split("\n");
  expect(answerSizingRequest(JSON.parse(request))).toEqual(answer);
});

it("starts a replica with the repository's name and the plan's arguments", () => {
  const command = launchCommand(answer.plans[0]!);
  expect(command).toMatch(/^vllm serve meta-llama\/Llama-3\.1-8B-Instruct \\\n {2}--max-model-len 8192 \\\n/);
});

it("leaves no rejected option out, the commonest reason first, each with a name", () => {
  const groups = groupRejections(answer.rejected);
  expect(groups.flatMap(({ items }) => items)).toHaveLength(answer.rejected.length);
  const sizes = groups.map(({ items }) => items.length);
  expect(sizes).toEqual(sizes.toSorted((left, right) => right - left));
  for (const { option } of answer.rejected) expect(nameRejected(option)).not.toBe("");
});

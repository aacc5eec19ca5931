import type { APIRequestContext, APIResponse } from "@playwright/test";
import { expect } from "./portal-test.ts";

const api = "/api/w/default/trpc";

async function answerOf<Answer>(response: APIResponse): Promise<Answer> {
  expect(response.status(), await response.text()).toBe(200);
  return ((await response.json()) as { result: { data: { json: Answer } } }).result.data.json;
}

/** Changes something as whoever `request` is signed in as. */
export const mutate = async <Answer>(request: APIRequestContext, procedure: string, json: unknown) =>
  answerOf<Answer>(await request.post(`${api}/${procedure}`, { data: { json } }));

export const query = async <Answer>(request: APIRequestContext, procedure: string, json: unknown) =>
  answerOf<Answer>(await request.get(`${api}/${procedure}`, { params: { input: JSON.stringify({ json }) } }));

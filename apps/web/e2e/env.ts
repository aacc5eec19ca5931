import process from "node:process";
import { z } from "zod";

/** The only place of these tests that reads `process.env`. */
const envSchema = z.object({
  /** A running portal; without it one is started, see start-stack.ts. */
  ANNEAL_E2E_URL: z.url().optional(),
  ANNEAL_E2E_EMAIL: z.string().optional(),
  ANNEAL_E2E_PASSWORD: z.string().optional(),
  ANNEAL_E2E_API_KEY: z.string().optional(),
  /** The name of an adapter and of the assistant that uses it. */
  ANNEAL_E2E_ASSISTANT: z.string().default("helpdesk"),
  /** The state folder of that portal's stack, for tests that start another portal beside it. */
  ANNEAL_E2E_STATE_DIR: z.string().optional(),
  /** Something that the portal's documents answer. */
  ANNEAL_E2E_QUESTION: z.string().default("How long is the warranty on the Drip 3 infusion pump?"),
  ANNEAL_PYTHON: z.string().optional(),
  ANNEAL_CHROMIUM: z.string().optional(),
});

export function e2eEnv() {
  const env = envSchema.parse(process.env);
  return {
    url: env.ANNEAL_E2E_URL,
    email: env.ANNEAL_E2E_EMAIL ?? "",
    password: env.ANNEAL_E2E_PASSWORD ?? "",
    apiKey: env.ANNEAL_E2E_API_KEY ?? "",
    assistant: env.ANNEAL_E2E_ASSISTANT,
    stateDir: env.ANNEAL_E2E_STATE_DIR,
    question: env.ANNEAL_E2E_QUESTION,
    python: env.ANNEAL_PYTHON,
    chromium: env.ANNEAL_CHROMIUM,
  };
}

/** Workers inherit it: the stack that was started for them. */
export function setPortal(portal: {
  url: string;
  email: string;
  password: string;
  apiKey: string;
  stateDir: string;
}): void {
  process.env["ANNEAL_E2E_URL"] = portal.url;
  process.env["ANNEAL_E2E_EMAIL"] = portal.email;
  process.env["ANNEAL_E2E_PASSWORD"] = portal.password;
  process.env["ANNEAL_E2E_API_KEY"] = portal.apiKey;
  process.env["ANNEAL_E2E_STATE_DIR"] = portal.stateDir;
}

/** For a process of our own: this one's environment with some of it changed. */
export function withEnv(changes: Record<string, string>): NodeJS.ProcessEnv {
  return { ...process.env, ...changes };
}

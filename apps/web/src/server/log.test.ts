import { expect, it } from "vitest";
import { describeError } from "./log.ts";

it("logs a failed query without its parameters, which may be secrets", () => {
  const failed = Object.assign(
    new Error("Failed query: insert into users values ($1)\nparams: scrypt$secret\nof two lines", {
      cause: new Error("duplicate key"),
    }),
    {
      params: ["scrypt$secret"],
      code: "23505",
    },
  );
  const logged = describeError(failed);
  expect(JSON.stringify(logged)).not.toMatch(/scrypt|two lines/);
  expect(logged).toMatchObject({
    code: "23505",
    message: expect.stringContaining("insert into users"),
    cause: { message: "duplicate key" },
  });
});

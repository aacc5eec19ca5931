import { expect, it } from "vitest";
import { rememberByRecord } from "./remember-by-record.ts";

it("works a result out once for each record, and anew for another that is equal", () => {
  let calls = 0;
  const count = rememberByRecord((_: { ids: number[] }) => void (calls += 1));
  const record = { ids: [1] };
  for (const each of [record, record, { ids: [1] }, record]) count(each);
  expect(calls).toBe(2);
});

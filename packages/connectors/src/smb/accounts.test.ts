import { expect, it } from "vitest";
import { countPeople } from "./accounts.ts";
import { smbConfigSchema } from "./config.ts";

const domain = "S-1-5-21-1-2-3";
const users = [
  { sid: `${domain}-500`, name: "Administrator" },
  { sid: `${domain}-501`, name: "Guest" },
  { sid: `${domain}-1001`, name: "FILES$" },
  { sid: `${domain}-1104`, name: "ann" },
  { sid: `${domain}-1104`, name: "ann.lee" },
];
const config = (userEmailDomain: string | null) =>
  smbConfigSchema.parse({ host: "files", share: "docs", user: "reader", userEmailDomain });
const count = (given: typeof users, emailDomain: string | null = "example.com") =>
  countPeople(config(emailDomain), { users: given, others: [], groups: [] });

it("counts people by their accounts, without machines and the accounts that every system has", () => {
  expect(count(users)).toBe(1);
  expect(count(users.slice(0, 3))).toBe(0);
  expect(count(users, null)).toBe(0);
});

import { expect, it } from "vitest";
import { wordAccounts, wordPeople } from "./word-accounts.ts";

it("tells one account of several", () => {
  const word = (people: number, accounts: number, groups: number) =>
    `${wordAccounts(accounts, groups)}; ${wordPeople(people, accounts)}`;
  expect(word(1, 1, 0)).toBe("1 account and 0 groups are known; the account is a person's");
  expect(word(1, 4, 1)).toBe("4 accounts and 1 group are known; 1 of the accounts is a person");
  expect(word(3, 4, 2)).toBe("4 accounts and 2 groups are known; 3 of the accounts are people");
});

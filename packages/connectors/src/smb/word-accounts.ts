/** "1 account and 0 groups are known" */
export function wordAccounts(accounts: number, groups: number): string {
  return `${countOf(accounts, "account")} and ${countOf(groups, "group")} are known`;
}

/** "2 of the accounts are people"; of one that there is, which it is. */
export function wordPeople(people: number, accounts: number): string {
  if (accounts === 1) return "the account is a person's";
  return `${people} of the accounts ${people === 1 ? "is a person" : "are people"}`;
}

function countOf(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

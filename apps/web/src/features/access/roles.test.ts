import { expect, it } from "vitest";
import { leastRole, roleRights } from "./roles.ts";

it("gives a new member no right that another role has not as well", () => {
  const rights = roleRights.filter(({ roles }) => roles.includes(leastRole));
  expect(rights.map(({ right }) => right)).toEqual(["Read permitted documents, chat, call permitted models"]);
});

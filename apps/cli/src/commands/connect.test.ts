import { Command } from "commander";
import { expect, it } from "vitest";
import { addConnectCommand } from "./connect.ts";

it("collects what is passed several times, and shows no empty list as a default", () => {
  const program = new Command();
  addConnectCommand(program, {});
  const add = program.commands[0]!.commands.find((command) => command.name() === "add")!;
  expect(add.helpInformation()).toContain("--secret <field=source>");
  expect(add.helpInformation()).not.toContain("default: []");
  add.parseOptions(["--set", "host=a", "--set", "port=1"]);
  expect(add.opts()).toMatchObject({ set: ["host=a", "port=1"] });
});

it("tells a schedule that is taken away from one that is not spoken of", () => {
  const program = new Command();
  addConnectCommand(program, {});
  const edit = () => program.commands[0]!.commands.find((command) => command.name() === "edit")!;
  edit().parseOptions(["--unset", "path"]);
  expect(edit().opts()).toMatchObject({ unset: ["path"] });
  expect(edit().opts()).not.toHaveProperty("schedule");
  edit().parseOptions(["--no-schedule"]);
  expect(edit().opts()).toMatchObject({ schedule: false });
});

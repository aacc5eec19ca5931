import { expect, it } from "vitest";
import { createLiveBlock } from "./terminal.ts";

it("tells a log each finished stage once, and every 20 seconds how far the running one is", () => {
  const written: string[] = [];
  let nowMs = 0;
  const output = { isTTY: false, columns: 80, write: (text: string) => written.push(text) > 0 };
  const block = createLiveBlock(output, () => nowMs);
  for (; nowMs < 50_000; nowMs += 500) {
    block.draw([
      { key: "clean", text: "clean done", status: "done" },
      { key: "train", text: `train ${nowMs / 1000} s`, status: "running" },
      { key: "deploy", text: "deploy", status: "waiting" },
    ]);
  }
  expect(written).toEqual(["clean done\n", "train 20 s\n", "train 40 s\n"]);
});

it("redraws the whole block on a terminal, cut to its width", () => {
  let written = "";
  const output = { isTTY: true, columns: 10, write: (text: string) => (written += text) !== "" };
  const block = createLiveBlock(output);
  const lines = [{ key: "train", text: "train 1234567890", status: "running" as const }];
  block.draw(lines);
  block.draw(lines);
  expect(written).toBe("\u001B[2Ktrain 123…\n\u001B[1A\u001B[2Ktrain 123…\n");
});

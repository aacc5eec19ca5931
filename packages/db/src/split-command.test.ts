import { describe, expect, it } from "vitest";
import { splitCommand } from "./split-command.ts";

const setting = "ANNEAL_ENCRYPTION_KEY_COMMAND";

describe("splitCommand", () => {
  it.each([
    ["vault kv get -field=key secret/anneal", ["vault", "kv", "get", "-field=key", "secret/anneal"]],
    [
      "  aws kms decrypt --ciphertext-blob fileb:///etc/anneal/key.enc --query Plaintext --output text ",
      [
        "aws",
        "kms",
        "decrypt",
        "--ciphertext-blob",
        "fileb:///etc/anneal/key.enc",
        "--query",
        "Plaintext",
        "--output",
        "text",
      ],
    ],
    [`pass show "team keys/anneal" ''`, ["pass", "show", "team keys/anneal", ""]],
    [`op read --account='a b' 'op://Vault/$it/key'`, ["op", "read", "--account=a b", "op://Vault/$it/key"]],
  ])("takes the words of %s", (line, words) => {
    expect(splitCommand(setting, line)).toEqual(words);
  });

  it.each([
    "cat key | base64 -d",
    "cat key > /tmp/key",
    "cat $HOME/key",
    'cat "$HOME/key"',
    "cat `which key`",
    "cat $(which key)",
    "cat ~/key",
    "cat key; rm key",
    "cat key & true",
    String.raw`cat team\ key`,
    "cat *.key",
    "cat 'key",
    'cat "key',
    'cat "a"b"',
    "",
    "   ",
    "'' key",
  ])("refuses what a shell would read otherwise: %s", (line) => {
    expect(() => splitCommand(setting, line)).toThrow(expect.objectContaining({ code: "INVALID_INPUT" }));
  });

  it("does not repeat the line, which may hold a token", () => {
    expect(() => splitCommand(setting, "vault -token=s3cr3t | cat")).toThrow(/^(?!.*s3cr3t)/);
  });
});

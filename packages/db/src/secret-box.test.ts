import { AnnealError } from "@anneal/core/errors";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sealWithoutKeyId } from "../testing/seal-without-key-id.ts";
import { createEncryptionKey, createSecretBox, keyIdOf } from "./secret-box.ts";

const key = createEncryptionKey();
const otherKey = createEncryptionKey();
const secrets = { password: "correct horse" };

const codeOf = (work: () => unknown) => {
  try {
    work();
    return "opened";
  } catch (error) {
    return error instanceof AnnealError ? error.code : "another error";
  }
};

it("opens what it sealed, and never seals the same secret to the same bytes", () => {
  const box = createSecretBox(key);
  const sealed = box.seal(secrets, "source-1");
  expect(box.open(sealed, "source-1")).toEqual(secrets);
  expect(box.seal(secrets, "source-1").equals(sealed)).toBe(false);
  expect(sealed.includes("correct horse")).toBe(false);
});

it("stays shut for another purpose and for another key", () => {
  const sealed = createSecretBox(key).seal(secrets, "source-1");
  expect(codeOf(() => createSecretBox(key).open(sealed, "source-2"))).toBe("SOURCE_CREDENTIALS");
  expect(codeOf(() => createSecretBox(otherKey).open(sealed, "source-1"))).toBe("SOURCE_CREDENTIALS");
});

it("opens with an old key what that key sealed, and seals with the present one", () => {
  const sealed = createSecretBox(key).seal(secrets, "source-1");
  const ring = createSecretBox(otherKey, [key]);
  expect(ring.open(sealed, "source-1")).toEqual(secrets);
  const anew = ring.seal(secrets, "source-1");
  expect(createSecretBox(otherKey).open(anew, "source-1")).toEqual(secrets);
  expect(codeOf(() => createSecretBox(key).open(anew, "source-1"))).toBe("SOURCE_CREDENTIALS");
});

it("names the key of an envelope, by a name that is the same everywhere and is not the key", () => {
  const ring = createSecretBox(otherKey, [key, key, otherKey]);
  expect(ring.keyIds).toEqual([createSecretBox(otherKey).keyIds[0], createSecretBox(key).keyIds[0]]);
  expect(keyIdOf(ring.seal(secrets, "source-1"))).toBe(ring.keyIds[0]);
  expect(Buffer.from(otherKey, "base64").toString("hex")).not.toContain(ring.keyIds[0]);
});

it("opens envelopes of the releases that named no key, with a present key and with an old one", () => {
  const sealed = sealWithoutKeyId(key, secrets, "source-1");
  expect(keyIdOf(sealed)).toBeNull();
  expect(createSecretBox(key).open(sealed, "source-1")).toEqual(secrets);
  expect(createSecretBox(otherKey, [key]).open(sealed, "source-1")).toEqual(secrets);
  expect(codeOf(() => createSecretBox(otherKey).open(sealed, "source-1"))).toBe("SOURCE_CREDENTIALS");
  expect(codeOf(() => createSecretBox(key).open(sealed, "source-2"))).toBe("SOURCE_CREDENTIALS");
});

it.each([
  ["that names its key", createSecretBox(key).seal(secrets, "source-1")],
  ["that names none", sealWithoutKeyId(key, secrets, "source-1")],
])("stays shut when any one bit was changed or the end was cut off, of an envelope %s", (_, sealed) => {
  const box = createSecretBox(key, [otherKey]);
  expect(box.open(sealed, "source-1")).toEqual(secrets);
  fc.assert(
    fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(codeOf(() => box.open(changed, "source-1"))).toBe("SOURCE_CREDENTIALS");
    }),
  );
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), (length) => {
      expect(codeOf(() => box.open(sealed.subarray(0, length), "source-1"))).toBe("SOURCE_CREDENTIALS");
    }),
  );
});

it("refuses a key of another length, present or old", () => {
  expect(codeOf(() => createSecretBox("c2hvcnQ="))).toBe("INVALID_INPUT");
  expect(codeOf(() => createSecretBox(key, ["c2hvcnQ="]))).toBe("INVALID_INPUT");
});

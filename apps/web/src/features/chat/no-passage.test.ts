import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import type { WireError } from "#lib/wire-error.ts";
import { NoPassage } from "./no-passage.tsx";

const show = (code: WireError["code"]) => {
  const error = { code, message: "There is no document 3047b5d5.", action: "Check the id.", id: null };
  return renderToStaticMarkup(createElement(NoPassage, { error, onRetry: () => {} }));
};

describe("a passage that cannot be shown", () => {
  it("of a document that one may not read any more says so, without its id and nothing to try again", () => {
    const shown = show("NOT_FOUND");
    expect(shown).toContain("You cannot read this document any more");
    expect(shown).not.toContain("3047b5d5");
    expect(shown).not.toContain("<button");
  });

  it("for another reason is told as what it is, and can be tried again", () => {
    const shown = show("OFFLINE");
    expect(shown).toContain("There is no document 3047b5d5.");
    expect(shown).toContain("Try again");
  });
});

const names = new Intl.DisplayNames("en", { type: "language", fallback: "code" });

/** "de" -> "German"; a code without a name stays what it is. */
export function languageName(code: string): string {
  // `Intl` calls it "root".
  if (code === "und") return "Undetermined";
  return names.of(code) ?? code;
}

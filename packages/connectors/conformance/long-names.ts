/** Of a name between two slashes, on every file system and server that is read here. */
const segmentBytes = 255;

/**
 * A path of exactly so many bytes in UTF-8, ending in ".md". Its folders' names are as long as they may be, and hold
 * nothing that repeats: what would only be stored because it can be compressed is found out.
 *
 * @param script letters of more than one byte among those of one
 */
export function longPath(totalBytes: number, script: "latin" | "mixed" = "latin"): string {
  const letters = script === "latin" ? "abcdefghijklmnopqrstuvwxyz0123456789" : "abcdefghijklmnopäöüßéλжш日本語🚚";
  const choose = createChooser([...letters]);
  const segments: string[] = [];
  for (let left = totalBytes; left > 0;) {
    // A last folder so short that no name would be left after its slash.
    const rest = left - segmentBytes - 1;
    const bytes = left <= segmentBytes ? left : rest < ".md".length + 1 ? segmentBytes - 8 : segmentBytes;
    segments.push(segmentOf(bytes, left <= segmentBytes ? ".md" : "", choose));
    left -= bytes + 1;
  }
  return segments.join("/");
}

function segmentOf(bytes: number, ending: string, choose: () => string): string {
  let name = "";
  let left = bytes - ending.length;
  while (left > 0) {
    const letter = choose();
    const size = Buffer.byteLength(letter);
    if (size > left) continue;
    name += letter;
    left -= size;
  }
  return name + ending;
}

/** The same letters in the same order in every run: a linear congruential generator (Numerical Recipes). */
function createChooser(letters: readonly string[]): () => string {
  let state = 42;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return letters[Math.floor((state / 2 ** 32) * letters.length)]!;
  };
}

/** A title or a key of so many characters (UTF-16 code units), ending in ".md", that is no path. */
export function longTitle(characters: number): string {
  const choose = createChooser([..."abcdefghijklmnop qrstuvwxyz äöüßéλжш日本語"]);
  return (
    Array.from({ length: characters - ".md".length }, choose)
      .join("")
      .replaceAll("  ", "- ")
      .trim()
      .padEnd(characters - 3, "x") + ".md"
  );
}

const sentence =
  "The pump in the cellar is looked after by whoever is on duty, and each look is written on the sheet. ";

/** About a kilobyte, the same length for every index below a hundred million. */
export function documentText(index: number): string {
  return `# Note ${String(index).padStart(8, "0")}\n\n${sentence.repeat(10)}\n`;
}

/** A thousand in a folder. */
export function documentName(index: number): string {
  return `folder-${String(Math.floor(index / 1000)).padStart(4, "0")}/note-${String(index).padStart(8, "0")}.md`;
}

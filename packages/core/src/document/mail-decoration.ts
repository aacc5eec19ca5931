/**
 * A picture that an e-mail shows in its text is a logo, a line or a signature up to this size, which says nothing. A
 * larger one is more likely what the e-mail is about: a scan, a photograph, a screenshot.
 */
const maxDecorationBytes = 32 * 1024;

/** @param isShown in the text, rather than listed below it */
export function isMailDecoration({ isShown, sizeBytes }: { isShown: boolean; sizeBytes: number }): boolean {
  return isShown && sizeBytes <= maxDecorationBytes;
}

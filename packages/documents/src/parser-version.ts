/**
 * Raised whenever the same bytes could now give other elements, or could now be read at all. A quarantined document
 * is tried again only under a new version. What the machine has besides (OCR) is added by `ParserPool.version`.
 */
export const parserVersion = "5";

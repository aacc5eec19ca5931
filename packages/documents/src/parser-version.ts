/**
 * Raised whenever the same bytes could now give other elements, or could now be read at all. A quarantined document
 * is tried again only under a new version.
 */
export const parserVersion = "4";

/**
 * Raised whenever the same bytes could now give other elements, or could now be read at all. A quarantined document
 * is tried again only under a new version. A partitioner that is set is added by `ParserPool.version`; what recognised text
 * depends on besides is told by `ParserPool.recognitionLanguages`.
 */
export const parserVersion = "13";

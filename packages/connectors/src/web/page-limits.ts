/** A page has at most this many links that count; what more there are nobody knows, so nothing is gone for being absent. */
export const maxLinks = 5000;
/** Feeds that one page names. */
export const maxFeeds = 50;

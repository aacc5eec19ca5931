export const feedTypes = new Set([
  "application/rss+xml",
  "application/atom+xml",
  "application/rdf+xml",
  "application/feed+json",
]);

/** Feeds are often sent as one of these. */
export const vagueFeedTypes = new Set(["application/xml", "text/xml", "application/json"]);

/** What kind of work a pool does. It sets the defaults of everything that a brief leaves out. */
export type ProfileName = "chat" | "report" | "voice" | "agents" | "api" | "batch" | "embeddings";

export type WorkloadProfile = {
  name: ProfileName;
  title: string;
  /** Batch work has a deadline for the whole and none for a request. */
  online: boolean;
  /** To the first token; null where nobody waits for it. */
  ttftMs: number | null;
  /** Of one answer, as its reader or listener needs it; null where nobody waits for it. */
  tokensPerSecondPerUser: number | null;
  /** To the first sound, for speech. */
  firstSoundMs: number | null;
  /** Longest context of a request, in tokens, where the brief names none. */
  context: number;
  /** Tokens of a mean answer. */
  outputTokens: number;
  /** Of the time of a user who is at work with it, the part in which one call is being answered. */
  inFlightShare: number;
  /** Model calls that one request of a user sets off, one after another. */
  callsPerTask: number;
  /** Sequences that a replica runs together where latency or throughput comes first: what is usual, not a limit. */
  usualBatch: { from: number; to: number | null };
  /** Share of a prompt's tokens that the request before it left in the cache. */
  prefixCacheHitRate: number;
};

/**
 * Latency limits: text chat 2 s to the first token, long reports 5 s, voice 1.5 s to its first sound. Speed a user: people
 * read 4 words or 5 tokens a second (238 words a minute, Brysbaert 2019), so 20 tokens/s are four times that and even skimming
 * is not held up (MLPerf Inference 5.0 asks 25 of its "interactive" and 5 of its plain chat scenario); a report is read while
 * it is written; speech runs at 3.5 tokens a second, and 10 keep well ahead of it.
 *
 * Shares of time in flight: a chat's answer takes about 10 s of 200; a report of 1,500 tokens a minute of seven; a caller is
 * answered for 2 s of each 10; programs wait for nothing. Cached prefixes, which vLLM keeps without being asked: 40% of the
 * prompts' tokens in Mooncake's trace of conversations, 59% in that of tools and agents (FAST 2025, table 2); other work
 * counts on none.
 */
export const workloadProfiles = {
  chat: {
    name: "chat",
    title: "text chat",
    online: true,
    ttftMs: 2000,
    tokensPerSecondPerUser: 20,
    firstSoundMs: null,
    context: 8192,
    outputTokens: 300,
    inFlightShare: 0.05,
    callsPerTask: 1,
    usualBatch: { from: 1, to: 4 },
    prefixCacheHitRate: 0.4,
  },
  report: {
    name: "report",
    title: "long reports",
    online: true,
    ttftMs: 5000,
    tokensPerSecondPerUser: 15,
    firstSoundMs: null,
    context: 32_768,
    outputTokens: 1500,
    inFlightShare: 0.15,
    callsPerTask: 1,
    usualBatch: { from: 1, to: 8 },
    prefixCacheHitRate: 0,
  },
  voice: {
    name: "voice",
    title: "voice",
    online: true,
    ttftMs: null,
    tokensPerSecondPerUser: 10,
    firstSoundMs: 1500,
    context: 8192,
    outputTokens: 120,
    inFlightShare: 0.2,
    callsPerTask: 1,
    usualBatch: { from: 1, to: 4 },
    prefixCacheHitRate: 0.4,
  },
  agents: {
    name: "agents",
    title: "agents",
    online: true,
    ttftMs: 5000,
    tokensPerSecondPerUser: 20,
    firstSoundMs: null,
    context: 32_768,
    outputTokens: 250,
    inFlightShare: 0.05,
    callsPerTask: 6,
    usualBatch: { from: 1, to: 8 },
    prefixCacheHitRate: 0.59,
  },
  api: {
    name: "api",
    title: "API",
    online: true,
    ttftMs: 3000,
    tokensPerSecondPerUser: 15,
    firstSoundMs: null,
    context: 8192,
    outputTokens: 300,
    inFlightShare: 1,
    callsPerTask: 1,
    usualBatch: { from: 8, to: 32 },
    prefixCacheHitRate: 0,
  },
  batch: {
    name: "batch",
    title: "bulk work",
    online: false,
    ttftMs: null,
    tokensPerSecondPerUser: null,
    firstSoundMs: null,
    context: 8192,
    outputTokens: 300,
    inFlightShare: 1,
    callsPerTask: 1,
    usualBatch: { from: 64, to: null },
    prefixCacheHitRate: 0,
  },
  embeddings: {
    name: "embeddings",
    title: "embeddings",
    online: false,
    ttftMs: null,
    tokensPerSecondPerUser: null,
    firstSoundMs: null,
    context: 512,
    outputTokens: 1,
    inFlightShare: 1,
    callsPerTask: 1,
    usualBatch: { from: 64, to: null },
    prefixCacheHitRate: 0,
  },
} satisfies Record<ProfileName, WorkloadProfile>;

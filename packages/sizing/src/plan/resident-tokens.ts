/**
 * Tokens that one request in flight keeps in the KV cache on average, when only the longest context is known: the mean
 * grows slower than the limit, because few requests come near it. 2 x limit^0.75, fitted on five published figures
 * (limit -> mean, this formula): the two worked cases of a 70B model with grouped keys (8,192 -> 1.9k, 1.7k; 32,768 -> 4.9k,
 * 4.9k, after weights and overhead are taken off), Azure's 2023 LLM traces (Splitwise, ISCA 2024: code 8k -> 2.1k, 1.7k;
 * conversations 14k -> 1.3k, 2.6k) and Mooncake's conversations (FAST 2025: 128k -> 12k, 13.8k). It is wrong by a factor of
 * two for a workload of its own kind: measured prompt and answer lengths in the brief take its place.
 */
export function meanResidentTokens(contextTokens: number): number {
  return Math.min(contextTokens, 2 * contextTokens ** 0.75);
}

/** A request holds its whole prompt all the time, and of its answer half on average, as it grows. */
export function residentTokensOf(inputTokens: number, outputTokens: number): number {
  return inputTokens + outputTokens / 2;
}

/** Standard deviation over mean of what a request holds: 0.87 in Azure's conversations (19,366 requests), rounded up. */
const variation = 1;
/** Quantile 0.99 of the normal distribution. */
const z99 = 2.326;

/**
 * Tokens that `requests` in flight together hold in 99 of 100 moments. Requests are independent, so their sum is nearly
 * normal; it is never more than all of them at the limit, which is what an engine without paging has to reserve.
 */
export function residentTokens99(requests: number, meanTokens: number, contextTokens: number): number {
  const sum = requests * meanTokens + z99 * variation * meanTokens * Math.sqrt(requests);
  return Math.min(sum, requests * contextTokens);
}

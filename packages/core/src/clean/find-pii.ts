import { findEmails } from "./pii/email.ts";
import type { PiiEntity } from "./pii/entity.ts";
import { findIbans } from "./pii/iban.ts";
import { findNationalIds } from "./pii/national-id.ts";
import { findNetworkAddresses } from "./pii/network-address.ts";
import { findPaymentCards } from "./pii/payment-card.ts";
import { findPhones } from "./pii/phone.ts";
import { findSecrets } from "./pii/secret.ts";
import { piiTypes, type PiiAction, type PiiPolicy, type PiiType } from "./policy.ts";

export type { PiiEntity } from "./pii/entity.ts";

/** Of two that overlap, the one whose evidence is stronger: a checksum over a format, a format over a guess. */
const precedence: readonly PiiType[] = [
  "SECRET",
  "IBAN",
  "EMAIL",
  "PAYMENT_CARD",
  "NATIONAL_ID",
  "US_SSN",
  "MAC_ADDRESS",
  "IP_ADDRESS",
  "PHONE",
];

/** What the policy does with each type in a document of this language. */
export function resolvePiiActions(policy: PiiPolicy, language: string): Record<PiiType, PiiAction> {
  const exceptions = policy.actionsByLanguage[language] ?? {};
  const actionOf = (type: PiiType) => exceptions[type] ?? policy.actions[type] ?? policy.defaultAction;
  return Object.fromEntries(piiTypes.map((type) => [type, actionOf(type)])) as Record<PiiType, PiiAction>;
}

/** Personal and secret data in the text, in order, without overlaps. Time is linear in the text's length. */
export function findPii(text: string, policy: PiiPolicy): PiiEntity[] {
  return resolveOverlaps([
    ...findSecrets(text),
    ...findIbans(text),
    ...findEmails(text),
    ...findPaymentCards(text),
    ...findNationalIds(text),
    ...findNetworkAddresses(text),
    ...findPhones(text, policy.phoneRegions),
  ]);
}

function resolveOverlaps(entities: readonly PiiEntity[]): PiiEntity[] {
  const outranks = (left: PiiEntity, right: PiiEntity) => {
    const rank = precedence.indexOf(left.type) - precedence.indexOf(right.type);
    return rank !== 0 ? rank < 0 : left.end - left.start > right.end - right.start;
  };
  const kept: PiiEntity[] = [];
  for (const entity of entities.toSorted((left, right) => left.start - right.start || right.end - left.end)) {
    let loses = false;
    for (let last = kept.at(-1); last && last.end > entity.start; last = kept.at(-1)) {
      loses = !outranks(entity, last);
      if (loses) break;
      kept.pop();
    }
    if (!loses) kept.push(entity);
  }
  return kept;
}

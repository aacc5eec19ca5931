import type { Passage } from "./passage.ts";

export function passage(id: string, context: string, text: string, overrides: Partial<Passage> = {}): Passage {
  return {
    documentId: id,
    chunkId: id,
    uri: `file:///${id}.md`,
    title: context.split(" > ")[0] ?? id,
    context,
    tableHeader: null,
    text,
    charStart: 100,
    places: [{ charStart: 100, page: 2, section: context.split(" > ") }],
    language: "en",
    cosine: 0.5,
    ...overrides,
  };
}

/** The passages that the prompts were chosen with. */
export const passages = {
  returns: passage(
    "returns",
    "Shop terms > Returns",
    "You can send back unused goods within 30 days of delivery. Opened software cannot be returned. Refunds are paid to the original card within 5 working days.",
  ),
  warranty: passage(
    "warranty",
    "Kestrel 40 manual > Warranty",
    "The Kestrel 40 pump carries a two-year warranty. Damage by frost is not covered. Claims go to the service desk with the serial number.",
  ),
  travel: passage(
    "travel",
    "Staff handbook > Travel",
    "Employees book trains in second class. Flights need approval by the head of department. The daily allowance is 28 euros.",
  ),
  desk: passage(
    "desk",
    "Visitor guide > Front desk",
    "The front desk is open from 8:00 to 17:30 on weekdays. Visitors sign in at the north entrance.",
  ),
  passwords: passage(
    "passwords",
    "IT guide > Passwords",
    "Passwords have at least fourteen characters. They expire only after a suspected leak. Reset yours at the self-service page.",
  ),
};

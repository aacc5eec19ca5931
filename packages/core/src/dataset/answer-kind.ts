import { addsPerson } from "../chat/question-terms.ts";

const duration = String.raw`(?:(?:milli|micro|nano)?seconds?|ms|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|weekends?|fortnights?|months?|quarters?|years?|decades?|centur(?:y|ies))`;
const durations = new RegExp(
  String.raw`\b${duration}\b|\b\p{N}+\s?(?:s|h|min)\b|\b(?:overnight|forever|indefinitely|permanently|instantly|immediately|until|as long as|lifetime)\b`,
  "iu",
);
const lengths =
  /\p{N}|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|half|unlimited|arbitrar\p{L}+)\b/iu;
const frequencies = new RegExp(
  String.raw`\b(?:every|each|once|twice|thrice|times|per|always|never|rarely|seldom|regularly|usually|often|continuously|constantly|whenever|hourly|daily|nightly|weekly|monthly|quarterly|yearly|annually|(?:mon|tues|wednes|thurs|fri|satur|sun)days)\b|\b(?:an?|after) (?:\S+ )?${duration}\b`,
  "iu",
);
const times = new RegExp(
  String.raw`\p{N}|\b${duration}\b|\b(?:when|whenever|if|unless|before|after|once|until|till|during|while|upon|within|as soon as|by|since|then|now|always|never|immediately|first|last|next|end|start|beginning|every|each|today|tomorrow|noon|midnight|morning|evening|spring|summer|autumn|winter|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july|august|september|october|november|december)\b`,
  "iu",
);
const roles =
  /\b(?:i|you|we|they|everyone|everybody|anyone|anybody|someone|nobody|no one|none|all|only|staff|team|teams|head|heads|chief|boss|people|person|persons|man|men|woman|women|guest|guests|clerk|nurse|nurses|crew|board|council|committee|department|departments|office|desk|service|company|companies|firm|community|group|parent|parents|client|clients|anonymous|public|police|brigade|government|application|applications|program|programs|system|process|processes)\b|\b\p{L}{2,}(?:ers?|ors?|ists?|ees?|ians?|ants?|ents?|ards?|archs?|ives?)\b/iu;
const places =
  /\b(?:in|at|on|inside|outside|within|under|beneath|below|above|over|near|behind|beside|between|before|next to|opposite|to|into|onto|from|through|via|across|along|around|among|here|there|everywhere|nowhere|anywhere|upstairs|downstairs|abroad|online)\b|[/\\]/iu;

type Asked = { asks: RegExp; wants: string; gives: (answer: string, question: string) => boolean };

/** What an English question word asks for, and how an answer shows that it has it; the first that fits a question counts. */
const kinds: readonly Asked[] = [
  {
    asks: /^how long\b.*\b(?:take|last|wait|stay|remain|run|keep|kept|valid|hold)\b|^how long\b (?:do|does|did)\b|^for how long\b/iu,
    wants: "a length of time",
    gives: (answer) => durations.test(answer),
  },
  {
    asks: /^how long\b/iu,
    wants: "a length",
    gives: (answer) => lengths.test(answer) || durations.test(answer),
  },
  { asks: /^how (?:often|frequently)\b/iu, wants: "a frequency", gives: (answer) => frequencies.test(answer) },
  { asks: /^(?:when|since when|until when)\b/iu, wants: "a time", gives: (answer) => times.test(answer) },
  {
    asks: /^(?:(?:by|to|from|with|for) )?who(?:m|se)?\b/iu,
    wants: "a person or a role",
    gives: (answer, question) =>
      addsPerson(answer, question) || roles.test(answer) || nameIn(answer, question) || /\bby \p{L}/iu.test(answer),
  },
  { asks: /^where\b/iu, wants: "a place", gives: (answer) => places.test(answer) },
];

/**
 * What a question asks for and its answer does not give ("a length of time" for "How long does it take to charge a
 * battery?" answered with a number of cycles); null when the answer has it, or when the question asks for something that
 * words do not show. English only: questions in other languages pass.
 */
export function missingKind(question: string, answer: string): string | null {
  const asked = question.trim();
  const kind = kinds.find(({ asks }) => asks.test(asked));
  return kind === undefined || kind.gives(answer, asked) ? null : kind.wants;
}

/** A capitalised word that the question does not have; the first of a sentence counts, a company may stand there. */
function nameIn(answer: string, question: string): boolean {
  const known = question.toLowerCase();
  return [...answer.matchAll(/(?<![\p{L}\p{N}])\p{Lu}[\p{L}\p{N}]+/gu)].some(
    ([word], index) =>
      (index > 0 || !/^(?:the|an?|it|this|that|these|those|there|to|in|on|at|if|when)$/iu.test(word)) &&
      !known.includes(word.toLowerCase()),
  );
}

/** The thing that a question compares with itself: "the difference between a table and a table"; null for most. */
export function comparedWithItself(question: string): string | null {
  const article = String.raw`(?:(?:an?|the)\s+)?`;
  const found = new RegExp(
    String.raw`\b(?:between|compare[sd]?|distinguish(?:es|ed)?|prefer)\s+${article}(.+?)\s+(?:and|from|with|to|or|over)\s+${article}\1\s*[?？.]*$|\b(?:how (?:does|do|is|are))\s+${article}(.+?)\s+(?:differ|different) from\s+${article}\2\s*[?？.]*$`,
    "iu",
  ).exec(question.trim());
  return found?.[1] ?? found?.[2] ?? null;
}

/** "What does a pump do?" asks what it does; "a pump is cleaned ..." says only what is done to it. */
export function onlySuffers(question: string, answer: string): string | null {
  const subject = /^what (?:does|do|did|can|could|will) (?:an? |the )?(.+?) do[?？]?$/iu.exec(question.trim())?.[1];
  if (subject === undefined) return null;
  const at = answer.toLowerCase().indexOf(subject.toLowerCase());
  if (at === -1) return null;
  const passive =
    /^s?\s+(?:(?:can|could|may|might|must|should|will|would|has|have|had|cannot)\s+)?(?:also\s+|not\s+)?(?:is|are|was|were|be|been)\s+(?:\p{L}+ly\s+|also\s+|not\s+)?\p{L}+(?:ed|en|wn|lt|pt|nt|de|und|ut)\b(?!\s+to\b)/iu;
  return passive.test(answer.slice(at + subject.length)) ? subject : null;
}

/** A bare amount asked about as if a reader knew it: "What is the accuracy of the 4 percent?". */
export function bareAmount(question: string): string | null {
  return (
    /\b(?:of|for|in|at|with|about|is|are) (the \p{N}[\p{N}.,]*\s?(?:%|percent|per cent|[kmgt]?i?b|bytes?|bits?|times|cycles|euros?|dollars?|cents?|€|\$|kg|km|mm|cm|degrees?|(?:second|minute|hour|day|week|month|year)s?))\s*[?？]*$/iu.exec(
      question.trim(),
    )?.[1] ?? null
  );
}

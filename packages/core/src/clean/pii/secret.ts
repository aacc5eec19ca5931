import type { PiiEntity } from "./entity.ts";

/**
 * Formats that services publish for their credentials, each matched against a whole token (a maximal run of letters,
 * digits, "_", "-" and "."), so that no pattern is tried at every character.
 */
const tokenFormats: readonly RegExp[] = [
  /^(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}$/, // AWS access key id
  /^gh[pousr]_[A-Za-z0-9]{36,}$/, // GitHub
  /^github_pat_[A-Za-z0-9_]{22,}$/,
  /^gl(?:pat|ptt|dt|rt|soat)-[A-Za-z0-9_.-]{20,}$/, // GitLab
  /^xox[abeoprs]-[A-Za-z0-9-]{10,}$/, // Slack
  /^xapp-\d-[A-Za-z0-9-]{10,}$/,
  /^[rs]k_(?:live|test)_[A-Za-z0-9]{16,}$/, // Stripe
  /^whsec_[A-Za-z0-9]{24,}$/,
  /^sk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{20,}$/, // OpenAI, Anthropic, OpenRouter
  /^hf_[A-Za-z0-9]{30,}$/, // Hugging Face
  /^AIza[A-Za-z0-9_-]{35}$/, // Google
  /^GOCSPX-[A-Za-z0-9_-]{24,}$/,
  /^ya29\.[A-Za-z0-9_-]{20,}$/,
  /^npm_[A-Za-z0-9]{36}$/,
  /^pypi-[A-Za-z0-9_-]{50,}$/,
  /^SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}$/, // SendGrid
  /^(?:AC|SK)[0-9a-f]{32}$/, // Twilio
  /^key-[0-9a-f]{32}$/, // Mailgun
  /^do[opr]_v1_[0-9a-f]{64}$/, // DigitalOcean
  /^shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}$/, // Shopify
  /^hv[sb]\.[A-Za-z0-9_-]{24,}$/, // HashiCorp Vault
  /^eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*$/, // JSON Web Token
];

const token = /[A-Za-z0-9_][A-Za-z0-9_.-]{15,}/g;
const privateKeyStart = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const privateKeyEnd = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const authorization = /\b(?:bearer|basic)[ \t]{1,3}(?=[A-Za-z0-9._~+/-]{16})/gi;
const authorizationValue = /[A-Za-z0-9._~+/-]+=*/y;
/** scheme://user:password@host, and the lengths in which it is still plausible. */
const credentialsInUrl = /:\/\/[^\s:@/?#"'<>]{0,100}:(?=[^\s@/"'<>]{1,200}@)/g;
const urlPassword = /[^\s@/"'<>]{1,200}/y;
const assignment =
  /(?:pass(?:word|wd|phrase|code)?|pwd|secret|api[_ -]?key|apikey|access[_ -]?key|account[_ -]?key|private[_ -]?key|signing[_ -]?key|encryption[_ -]?key|secret[_ -]?key|token|credentials?|passwor[dt]|kennwort|mot de passe|contraseña|parola|wachtwoord|lösenord|hasło)["'`]?[ \t]{0,3}(?:=>|:=|=|:)[ \t]{0,3}/giu;
const assignedValue = /"[^"\n]{1,256}"|'[^'\n]{1,256}'|`[^`\n]{1,256}`|[^\s"'`,;<>|]{1,256}/y;

export function findSecrets(text: string): PiiEntity[] {
  return [
    ...findTokens(text),
    ...findPrivateKeys(text),
    ...findFollowing(text, authorization, authorizationValue, (value) => value.length >= 16 && /[\d+/=]/.test(value)),
    ...findFollowing(text, credentialsInUrl, urlPassword, (value) => !isPlaceholder(value)),
    ...findAssignments(text),
  ];
}

function findTokens(text: string): PiiEntity[] {
  const found: PiiEntity[] = [];
  for (const { 0: raw, index: start } of text.matchAll(token)) {
    const value = raw.replace(/[.-]{1,3}$/, "");
    if (tokenFormats.some((format) => format.test(value))) found.push(secret(start, start + value.length, 1));
  }
  return found;
}

/** A block whose end is missing is taken to run to the end of the text: better too much than half a key. */
function findPrivateKeys(text: string): PiiEntity[] {
  const found: PiiEntity[] = [];
  privateKeyStart.lastIndex = 0;
  for (let open = privateKeyStart.exec(text); open; open = privateKeyStart.exec(text)) {
    privateKeyEnd.lastIndex = privateKeyStart.lastIndex;
    const close = privateKeyEnd.exec(text);
    const end = close ? privateKeyEnd.lastIndex : text.length;
    found.push(secret(open.index, end, 1));
    privateKeyStart.lastIndex = end;
  }
  return found;
}

function findFollowing(text: string, lead: RegExp, value: RegExp, accepts: (value: string) => boolean): PiiEntity[] {
  const found: PiiEntity[] = [];
  for (const match of text.matchAll(lead)) {
    const start = match.index + match[0].length;
    value.lastIndex = start;
    const raw = value.exec(text)?.[0];
    if (raw && accepts(raw)) found.push(secret(start, start + raw.length, 0.95));
  }
  return found;
}

function findAssignments(text: string): PiiEntity[] {
  const found: PiiEntity[] = [];
  for (const match of text.matchAll(assignment)) {
    const at = match.index + match[0].length;
    assignedValue.lastIndex = at;
    const raw = assignedValue.exec(text)?.[0];
    if (!raw) continue;
    const isQuoted = /^["'`]/.test(raw);
    const value = isQuoted ? raw.slice(1, -1) : raw.replace(/[.)\]}]+$/, "");
    const isPassword = /^(?:pass|pwd|kennwort|mot|contraseña|parola|wachtwoord|lösenord|hasło)/iu.test(match[0]);
    const isConfiguration = isQuoted || match[0].endsWith("=");
    if (isPassword ? !looksLikePassword(value, isConfiguration) : !looksLikeKey(value)) continue;
    const start = at + (isQuoted ? 1 : 0);
    found.push(secret(start, start + value.length, 0.85));
  }
  return found;
}

function secret(start: number, end: number, score: number): PiiEntity {
  return { type: "SECRET", start, end, score };
}

/** In prose ("Password: at least 8 characters") a word is no password; as a setting, digits alone are one. */
function looksLikePassword(value: string, isConfiguration: boolean): boolean {
  if (value.length < 6 || isPlaceholder(value)) return false;
  const hasLetter = /\p{L}/u.test(value);
  const hasDigit = /\d/.test(value);
  const hasSymbol = /[!@#$%^&*+=?~§€]/.test(value);
  return (hasLetter && (hasDigit || hasSymbol)) || (isConfiguration && hasDigit && !/[\s./-]/.test(value));
}

function looksLikeKey(value: string): boolean {
  if (value.length < 12 || /\s/.test(value) || isPlaceholder(value)) return false;
  return /\p{L}/u.test(value) && /\d/.test(value) && bitsPerCharacter(value) >= 3;
}

function isPlaceholder(value: string): boolean {
  return (
    /^[<{[(%$*]|^(?:x+|\.+|none|null|true|false|undefined|redacted)$/i.test(value) ||
    /^(?:your|my|example|sample|dummy|test|placeholder|change[-_ ]?me|process\.|os\.|env\.|import\.)/i.test(value)
  );
}

/** Shannon entropy of the characters' frequencies. */
function bitsPerCharacter(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}

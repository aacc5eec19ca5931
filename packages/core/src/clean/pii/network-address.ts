import { textBefore, type PiiEntity } from "./entity.ts";

const ipv4 = /(?<![\p{L}\p{N}_.:-])(?:\d{1,3}\.){3}\d{1,3}(?![\p{L}\p{N}_]|\.\d|-\p{L})/gu;
const colonRun = /(?<![\p{L}\p{N}_:.])[0-9a-f:]{2,39}(?:\.\d{1,3}){0,3}(?![\p{L}\p{N}_:])/giu;
const mac =
  /(?<![\p{L}\p{N}_:.-])(?:[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})(?![\p{L}\p{N}_]|[:.-][0-9a-f])/giu;

const versionContext =
  /(?:\bv|version\p{L}*|ver\.?|release|build|firmware|revision|rev\.?|update|upgrade|patch|driver|software|§+|section|chapter|clause|article|annex|kapitel|abschnitt|ziffer|punkt|absatz|artikel|chapitre|clause|capítulo|sección)[\s:=#(]{0,4}$/iu;
const addressContext =
  /(?:\bips?\b|ip[-_ ]?(?:v4|address\p{L}*|adress\p{L}*)|adresse ip|address|host\p{L}*|server|dns|gateway|router|subnet|netmask|ping|ssh|client|remote|proxy|vpn|firewall|login|logged in)[\s:=("'[]{0,6}$/iu;

export function findNetworkAddresses(text: string): PiiEntity[] {
  return [...findIpv4(text), ...findIpv6(text), ...findMacs(text)];
}

/**
 * Four numbers with dots are an address when they cannot be a version or a section number: one of them is above 30,
 * a port or prefix length follows, or the words before speak of a host.
 */
function findIpv4(text: string): PiiEntity[] {
  const found: PiiEntity[] = [];
  for (const { 0: raw, index: start } of text.matchAll(ipv4)) {
    const octets = raw.split(".").map(Number);
    if (octets.some((octet) => octet > 255) || raw.split(".").some((part) => /^0\d/.test(part))) continue;
    if (isNobody(octets)) continue;
    const before = textBefore(text, start);
    const isNetwork = /^(?:\/\d{1,2}|:\d{2,5})\b/.test(text.slice(start + raw.length, start + raw.length + 7));
    const saysAddress = isNetwork || addressContext.test(before) || before.endsWith("://");
    if (versionContext.test(before) && !isNetwork) continue;
    if (!saysAddress && Math.max(...octets) <= 30) continue;
    found.push({
      type: "IP_ADDRESS",
      start,
      end: start + raw.length,
      score: saysAddress ? 1 : 0.8,
    });
  }
  return found;
}

/** Loopback, "any", broadcast and netmasks are the same on every machine and identify none. */
function isNobody([first, second, third, fourth]: readonly number[]): boolean {
  return (
    first === 127 ||
    first === 0 ||
    (first === 255 && (second === 255 || second === 0)) ||
    [second, third, fourth].every((octet) => octet === 255)
  );
}

function findIpv6(text: string): PiiEntity[] {
  const found: PiiEntity[] = [];
  for (const { 0: raw, index: start } of text.matchAll(colonRun)) {
    if (!isIpv6(raw)) continue;
    found.push({ type: "IP_ADDRESS", start, end: start + raw.length, score: 1 });
  }
  return found;
}

/** RFC 4291, 2.2: eight groups, or fewer around one "::". Short forms need a digit: "a::b" is also program code. */
function isIpv6(raw: string): boolean {
  const [head, tail, ...more] = raw.split("::");
  if (more.length > 0 || head === undefined) return false;
  const groupsOf = (part: string | undefined) => (part ? part.split(":") : []);
  const groups = [...groupsOf(head), ...groupsOf(tail)];
  const last = groups.at(-1) ?? "";
  const hasIpv4 = last.includes(".");
  if (hasIpv4 && !/^(?:\d{1,3}\.){3}\d{1,3}$/.test(last)) return false;
  if (!groups.every((group, i) => /^[0-9a-f]{1,4}$/i.test(group) || (hasIpv4 && i === groups.length - 1))) return false;
  const size = groups.length + (hasIpv4 ? 1 : 0);
  if (tail === undefined) return size === 8;
  return size <= 7 && groups.length >= 2 && /\d/.test(raw) && groups.join("").length >= 5;
}

function findMacs(text: string): PiiEntity[] {
  const found: PiiEntity[] = [];
  for (const { 0: raw, index: start } of text.matchAll(mac)) {
    const symbols = raw.replace(/[:.-]/g, "").toLowerCase();
    if (/^(?:0+|f+)$/.test(symbols)) continue;
    found.push({ type: "MAC_ADDRESS", start, end: start + raw.length, score: 0.95 });
  }
  return found;
}

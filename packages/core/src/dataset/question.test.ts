import { describe, expect, it } from "vitest";
import { findDangling, looksLikeQuestion } from "./question.ts";

describe("findDangling", () => {
  it.each([
    "What does this document cover?",
    "According to the table, who pays?",
    "What is described above?",
    "How long does it take?",
    "Is it waterproof?",
    "Are they included?",
    "And what about software?",
    "Was kostet das?",
    "Was steht in diesem Dokument?",
    "Que dit ce document ?",
    "¿Qué dice este documento?",
    "Who wrote the following passage?",
  ])("finds what %j points at", (question) => {
    expect(findDangling(question)).not.toBeNull();
  });

  it.each([
    "How long does delivery take?",
    "How long does it take to deliver a parcel?",
    "Ist das Gerät wasserdicht?",
    "Is it possible to return opened software?",
    "How do I take a stain from the table?",
    "What is the document retention period?",
    "Welche Frist gilt für Rückgaben?",
    "Is the Kestrel 40 waterproof?",
    "Who signs this year's budget of Kestrel Ltd?",
  ])("lets %j stand", (question) => {
    expect(findDangling(question)).toBeNull();
  });
});

describe("looksLikeQuestion", () => {
  it.each([
    ["Who pays?", "en"],
    ["how do I reset a password", "en"],
    ["Which devices are covered", "en"],
    ["Who approves travel", "en"],
    ["Does the Kestrel pump float", "en"],
    ["Can I return opened software", "en"],
    ["Don't you ship abroad", "en"],
    ["Is This The Most Widely Deployed Pump?", "en"],
    ["Need More Help With Your Pump?", "en"],
    ["3. What is covered?", "en"],
    ["Wie lange gilt die Garantie", "de"],
    ["¿Quién paga?", "es"],
    ["Où est le bureau ?", "fr"],
  ])("accepts %j", (text, language) => expect(looksLikeQuestion(text, language)).toBe(true));

  it.each([
    ["Does Not Do Full Unicode Case Folding By Default", "en"],
    ["Can be washed at 30 degrees", "en"],
    ["Do the following first", "en"],
    ["Most Widely Deployed Software Module of Any Type?", "en"],
    ["How it works.", "en"],
    ["What's new", "en"],
    ["What the warranty covers", "en"],
    ["Where backups are kept", "en"],
    ["Whom to ask about returns", "en"],
    ["Returns", "en"],
    ["???", "en"],
    ["Was wir tun.", "de"],
  ])("rejects %j", (text, language) => expect(looksLikeQuestion(text, language)).toBe(false));
});

import { tooLarge } from "@anneal/connectors/failure";
import { settingActions } from "@anneal/documents/document-errors";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ownFoldersOf, readEnv } from "./env.ts";

const needed = {
  ANNEAL_STATE_DIR: "state",
  ANNEAL_DATABASE_URL: "postgres://localhost/anneal",
  ANNEAL_TEMPORAL_ADDRESS: "localhost:7233",
  ANNEAL_QDRANT_URL: "http://localhost:6333",
  ANNEAL_EMBEDDINGS_URL: "http://localhost:8081/v1",
  ANNEAL_EMBEDDINGS_MODEL: "all-MiniLM-L6-v2",
  ANNEAL_INFERENCE_URLS: "",
  ANNEAL_BASE_MODEL: "model",
  ANNEAL_OBJECTS: "file:///objects",
  ANNEAL_PYTHON: "python3",
};
const read = (more: Record<string, string>) =>
  readEnv({ ...needed, ANNEAL_INFERENCE_URLS: "http://localhost:8000", ...more });

describe("the worker's settings", () => {
  it("name languages for OCR as Tesseract does, and nothing that could be taken for an option", () => {
    expect(read({}).ANNEAL_OCR_LANGUAGES).toBeUndefined();
    expect(read({ ANNEAL_OCR_LANGUAGES: "eng+chi_sim" }).ANNEAL_OCR_LANGUAGES).toEqual(["eng", "chi_sim"]);
    for (const bad of ["--tessdata-dir", "eng+", "eng deu", "../eng"]) {
      expect(() => read({ ANNEAL_OCR_LANGUAGES: bad })).toThrow(/language packs/u);
    }
  });

  it("name the folders of this machine that are the platform's own, and no bucket", () => {
    expect(ownFoldersOf(read({ ANNEAL_OBJECTS: "file:///srv/all%20objects" }))).toEqual([
      resolve("state"),
      "/srv/all objects",
    ]);
    expect(ownFoldersOf(read({ ANNEAL_STATE_DIR: "/state", ANNEAL_OBJECTS: "s3://bucket/srv" }))).toEqual(["/state"]);
  });

  it("let a sync delete a fifth of a source unasked, or the share that is set", () => {
    expect(read({}).ANNEAL_MAX_DELETED_SHARE).toBe(0.2);
    expect(read({ ANNEAL_MAX_DELETED_SHARE: "0" }).ANNEAL_MAX_DELETED_SHARE).toBe(0);
    for (const bad of ["1.5", "-0.1", "some"])
      expect(() => read({ ANNEAL_MAX_DELETED_SHARE: bad })).toThrow(/ANNEAL_MAX_DELETED_SHARE/u);
  });

  it("read the people and groups of sources every quarter of an hour, or as often as is set", () => {
    expect(read({}).ANNEAL_DIRECTORY_MINUTES).toBe(15);
    expect(read({ ANNEAL_DIRECTORY_MINUTES: "1" }).ANNEAL_DIRECTORY_MINUTES).toBe(1);
    for (const bad of ["0.5", "-1", "often"])
      expect(() => read({ ANNEAL_DIRECTORY_MINUTES: bad })).toThrow(/ANNEAL_DIRECTORY_MINUTES/u);
  });

  it("give one document's content ten minutes, or the time that is set", () => {
    expect(read({}).ANNEAL_DOCUMENT_TIMEOUT_SECONDS).toBe(600);
    expect(read({ ANNEAL_DOCUMENT_TIMEOUT_SECONDS: "1.5" }).ANNEAL_DOCUMENT_TIMEOUT_SECONDS).toBe(1.5);
    for (const bad of ["0", "-1", "90000", "long"])
      expect(() => read({ ANNEAL_DOCUMENT_TIMEOUT_SECONDS: bad })).toThrow(/ANNEAL_DOCUMENT_TIMEOUT_SECONDS/u);
  });

  it("read documents of up to 100 MiB, and parse one for two minutes, or what is set", () => {
    expect(read({})).toMatchObject({ ANNEAL_DOCUMENT_MAX_MIB: 100, ANNEAL_PARSE_TIMEOUT_SECONDS: 120 });
    expect(read({ ANNEAL_DOCUMENT_MAX_MIB: "250" }).ANNEAL_DOCUMENT_MAX_MIB).toBe(250);
    expect(read({ ANNEAL_PARSE_TIMEOUT_SECONDS: "0.5" }).ANNEAL_PARSE_TIMEOUT_SECONDS).toBe(0.5);
    for (const bad of ["0", "-1", "1.5", "2000", "large"])
      expect(() => read({ ANNEAL_DOCUMENT_MAX_MIB: bad })).toThrow(/ANNEAL_DOCUMENT_MAX_MIB/u);
    for (const bad of ["0", "-1", "90000", "long"])
      expect(() => read({ ANNEAL_PARSE_TIMEOUT_SECONDS: bad })).toThrow(/ANNEAL_PARSE_TIMEOUT_SECONDS/u);
  });

  it("are those that a document's failures advise to raise", () => {
    const advice = [tooLarge("a.pdf", 2, 1).action, settingActions.size, settingActions.time];
    const names = advice.map((action) => /ANNEAL_\w+/u.exec(action)?.[0]);
    expect(Object.keys(read({}))).toEqual(expect.arrayContaining(names));
  });

  it("keep what a source deleted for thirty days, or as many as are set", () => {
    expect(read({}).ANNEAL_TOMBSTONE_DAYS).toBe(30);
    expect(read({ ANNEAL_TOMBSTONE_DAYS: "0.5" }).ANNEAL_TOMBSTONE_DAYS).toBe(0.5);
    for (const bad of ["0", "-1", "4000", "long"])
      expect(() => read({ ANNEAL_TOMBSTONE_DAYS: bad })).toThrow(/ANNEAL_TOMBSTONE_DAYS/u);
  });

  it("send documents to an Unstructured API only where its address is set, which holds no secret", () => {
    expect(read({ ANNEAL_UNSTRUCTURED_API_KEY: "key" }).ANNEAL_UNSTRUCTURED_URL).toBeUndefined();
    const set = read({ ANNEAL_UNSTRUCTURED_URL: "http://unstructured:8000" });
    expect(set).toMatchObject({
      ANNEAL_UNSTRUCTURED_URL: "http://unstructured:8000",
      ANNEAL_UNSTRUCTURED_STRATEGY: "auto",
    });
    for (const bad of ["ftp://unstructured", "unstructured:8000", "http://user:secret@unstructured"]) {
      expect(() => read({ ANNEAL_UNSTRUCTURED_URL: bad })).toThrow(/ANNEAL_UNSTRUCTURED_URL/u);
    }
    expect(() => read({ ANNEAL_UNSTRUCTURED_STRATEGY: "best" })).toThrow(/ANNEAL_UNSTRUCTURED_STRATEGY/u);
  });

  it("are refused without the value of a secret", () => {
    const refuse = () => read({ ANNEAL_UNSTRUCTURED_URL: "http://user:secret@unstructured" });
    expect(refuse).not.toThrow(/secret@/u);
  });
});

import { describe, expect, it } from "vitest";
import { isAnnealError } from "@anneal/core/errors";
import { parseSelect, type Lexicon } from "./single-select.ts";

const mysql: Lexicon = {
  backslashEscapes: true,
  quotes: { "'": "'", '"': '"', "`": "`" },
  hashComments: true,
  dashesNeedSpace: true,
};
const mssql: Lexicon = {
  backslashEscapes: false,
  quotes: { "'": "'", '"': '"', "[": "]" },
  hashComments: false,
  dashesNeedSpace: false,
};
const refusal = (sql: string, lexicon: Lexicon) => {
  try {
    parseSelect(sql, "q", lexicon);
    return null;
  } catch (error) {
    return isAnnealError(error) ? error.code : error;
  }
};

describe("parseSelect", () => {
  it("takes a SELECT whole, with what only looks like writing inside strings, names and comments", () => {
    for (const sql of [
      "SELECT id, 'DELETE; FROM (' AS a FROM t -- INSERT INTO x; )",
      'SELECT `update`, "it""s ) \\\\", "a\\n" FROM t # DROP',
      "SELECT 'it''s )' /* ; UPDATE ( */ FROM t",
      "SELECT updated_at, REPLACE(a, 'x', 'y'), TRUNCATE (b, 2), INSERT(a, 1, 1, 'x') FROM t",
    ]) {
      expect(parseSelect(sql, "q", mysql)).toEqual({ prelude: "", select: sql });
    }
    expect(refusal("SELECT [a;]]b)] FROM t;", mssql)).toBeNull();
  });

  it("parts WITH from the SELECT that makes the rows", () => {
    const sql = "WITH a AS (SELECT 1 AS x), b (y) AS (SELECT x FROM a)\nSELECT * FROM b;";
    expect(parseSelect(sql, "q", mssql)).toEqual({
      prelude: "WITH a AS (SELECT 1 AS x), b (y) AS (SELECT x FROM a)\n",
      select: "SELECT * FROM b",
    });
  });

  it.each([
    ["DELETE FROM t", "FORBIDDEN"],
    ["WITH x AS (SELECT 1 AS a) DELETE FROM t", "FORBIDDEN"],
    ["SELECT 1 AS id INTO copy", "FORBIDDEN"],
    ["SELECT * FROM t FOR UPDATE", "FORBIDDEN"],
    ["SELECT * FROM t LOCK IN SHARE MODE", "FORBIDDEN"],
    ["TRUNCATE TABLE t", "FORBIDDEN"],
    ["SELECT 1; SELECT 2", "INVALID_INPUT"],
    ["SELECT 1) AS q; DELETE FROM t; SELECT * FROM (SELECT 1", "INVALID_INPUT"],
    ["SELECT (1", "INVALID_INPUT"],
    ["SELECT 'a", "INVALID_INPUT"],
    ["SELECT '\\' AS id) AS q INTO OUTFILE 'x' -- '", "INVALID_INPUT"],
    ["SELECT '\\'' AS id) AS q INTO OUTFILE 'x' -- '", "INVALID_INPUT"],
    ["SELECT 5--1) AS q INTO OUTFILE 'x'", "INVALID_INPUT"],
    ["SELECT 5 -- a\r INTO OUTFILE 'x'", "INVALID_INPUT"],
    ["SELECT 1 /*! , 2 */", "INVALID_INPUT"],
    ["SELECT 1 /*M! , 2 */", "INVALID_INPUT"],
    ["SELECT 1 /* /* */ ) */", "INVALID_INPUT"],
    ["SET @a = 1", "INVALID_INPUT"],
    ["SHOW TABLES", "INVALID_INPUT"],
    ["", "INVALID_INPUT"],
  ])("refuses %j", (sql, code) => {
    expect(refusal(sql, mysql)).toBe(code);
  });

  it("knows that one database's escape is another's letter", () => {
    const sql = "SELECT '\\' ; DELETE FROM t -- '";
    expect(refusal(sql, mssql)).toBe("INVALID_INPUT");
    expect(refusal("SELECT 1 FROM OPENROWSET(BULK 'x', SINGLE_CLOB) AS t", mssql)).toBe("FORBIDDEN");
  });
});

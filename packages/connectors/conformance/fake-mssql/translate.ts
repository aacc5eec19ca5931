/**
 * The few words of T-SQL that the connector writes, in SQLite's: TOP (n), CONVERT, LEFT, DATEADD and the schema dbo.
 * [Quoted] names and @p1 mean the same to both.
 */
export function translate(sql: string): string {
  return replaceTop(
    sql
      .replaceAll("[dbo].", "")
      .replace(/\bCONVERT\((\w+(?:\([\w, ]+\))?), /g, "tsql_convert('$1', ")
      .replace(/\bLEFT\(/g, "tsql_left(")
      .replace(/\bDATEADD\(minute, /g, "tsql_add_minutes("),
  );
}

/** "SELECT TOP (n) …" as "SELECT … LIMIT n", at the end of the parentheses that it stands in. */
function replaceTop(sql: string): string {
  const top = /\bSELECT TOP \((\d+)\) /.exec(sql);
  if (top === null) return sql;
  const without = sql.slice(0, top.index) + "SELECT " + sql.slice(top.index + top[0].length);
  const end = endOfScope(without, top.index);
  return replaceTop(`${without.slice(0, end)} LIMIT ${top[1]}${without.slice(end)}`);
}

function endOfScope(sql: string, from: number): number {
  let depth = 0;
  for (let at = from; at < sql.length; at += 1) {
    const char = sql[at];
    if (char === "'") at = sql.indexOf("'", at + 1);
    else if (char === "[") at = sql.indexOf("]", at + 1);
    else if (char === "-" && sql[at + 1] === "-") at = sql.indexOf("\n", at);
    else if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    if (depth < 0) return at;
    if (at === -1) return sql.length;
  }
  return sql.length;
}

import type { FieldPacket } from "mysql2";
import type { Column } from "../sql/dialect.ts";

/** https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html; the driver's typings do not carry them. */
const decimals = new Set([0, 246]);
/** TINYINT, SMALLINT, INT, BIGINT, MEDIUMINT, YEAR. */
const integers = new Set([1, 2, 3, 8, 9, 13]);
const types = new Map<number | undefined, Omit<Column, "name">>([
  [4, { typeName: "float", category: "N" }],
  [5, { typeName: "double", category: "N" }],
  [7, { typeName: "timestamp", category: "D" }],
  [10, { typeName: "date", category: "D" }],
  [11, { typeName: "time", category: "U" }],
  [12, { typeName: "datetime", category: "D" }],
  [14, { typeName: "date", category: "D" }],
  [16, { typeName: "bit", category: "N" }],
  // VECTOR and GEOMETRY.
  [242, { typeName: "opaque", category: "U" }],
  [245, { typeName: "json", category: "U" }],
  [255, { typeName: "opaque", category: "U" }],
]);

/** Column flags and the "binary" character set: https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__column__definition__flags.html */
const unsignedFlag = 32;
const enumFlag = 256;
const setFlag = 2048;
const binaryCharacterSet = 63;

export function describeColumn(field: FieldPacket): Column {
  return { name: field.name, ...typeOf(field, Number(field.flags)) };
}

/** `extendedTypeName` and `extendedFormat` are MariaDB's: uuid, inet6, point; json. */
function typeOf(field: FieldPacket, flags: number): Omit<Column, "name"> {
  if (field.extendedFormat === "json") return { typeName: "json", category: "U" };
  if (field.extendedTypeName !== undefined) {
    const isText = /^(?:uuid|inet)/.test(field.extendedTypeName);
    return { typeName: isText ? "address" : "opaque", category: "U" };
  }
  const type = field.columnType ?? -1;
  if (decimals.has(type)) return { typeName: "decimal", category: "N" };
  if (integers.has(type)) return { typeName: flags & unsignedFlag ? "unsigned" : "signed", category: "N" };
  const other = types.get(type);
  if (other !== undefined) return other;
  if (flags & enumFlag) return { typeName: "enum", category: "S" };
  if (flags & setFlag) return { typeName: "set", category: "S" };
  return field.characterSet === binaryCharacterSet
    ? { typeName: "binary", category: "U" }
    : { typeName: "text", category: "S" };
}

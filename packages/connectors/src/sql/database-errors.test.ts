import { isAnnealError } from "@anneal/core/errors";
import { MongoServerError } from "mongodb";
import { describe, expect, it } from "vitest";
import { mongodbConfigSchema } from "../mongodb/config.ts";
import { toMongodbError } from "../mongodb/mongodb-errors.ts";
import { mssqlConfigSchema } from "../mssql/config.ts";
import { toMssqlError } from "../mssql/mssql-errors.ts";
import { mysqlConfigSchema } from "../mysql/config.ts";
import { toMysqlError } from "../mysql/mysql-errors.ts";
import { postgresConfigSchema } from "../postgres/config.ts";
import { toPostgresError } from "../postgres/postgres-errors.ts";

const place = { host: "db.example", database: "shop", user: "reader" };
const postgres = postgresConfigSchema.parse(place);
const mysql = mysqlConfigSchema.parse(place);
const mssql = mssqlConfigSchema.parse(place);
const mongodb = mongodbConfigSchema.parse(place);

const failing = (fields: object) => Object.assign(new Error("refused"), fields);

describe("a database that is asked for too much", () => {
  it.each([
    ["PostgreSQL", () => toPostgresError(failing({ code: "53300" }), postgres, null), 60_000],
    ["MySQL", () => toMysqlError(failing({ errno: 1040, code: "ER_CON_COUNT_ERROR" }), mysql, null), 60_000],
    ["SQL Server", () => toMssqlError(failing({ number: 10_928, code: "EREQUEST" }), mssql, null), 60_000],
    // "The service is currently busy. Retry the request after 10 seconds."
    ["Azure SQL", () => toMssqlError(failing({ number: 40_501, code: "EREQUEST" }), mssql, null), 10_000],
    [
      "MongoDB",
      () => toMongodbError(new MongoServerError({ message: "overloaded", code: 462 }), mongodb, null),
      60_000,
    ],
    [
      "Cosmos DB",
      () => toMongodbError(new MongoServerError({ message: "too large", code: 16_500 }), mongodb, "a"),
      60_000,
    ],
  ] as const)("is left alone by the workflow, for a time (%s)", (_, toError, retryAfterMs) => {
    const error = toError();
    expect(error).toMatchObject({ code: "RATE_LIMITED", retryable: true, details: { retryAfterMs } });
    expect(isAnnealError(error) && error.action).toMatch(/^The sync goes on by itself/);
  });
});

describe("a user of MySQL or MariaDB who may not sign in for now", () => {
  it.each([
    ["locked", 3118],
    ["locked after wrong passwords", 3955],
    ["locked after wrong passwords, by MariaDB", 4150],
    ["locked, by MariaDB", 4151],
    ["whose password has expired", 1862],
    ["whose password has expired, told by the first statement", 1820],
  ])("is a matter of credentials, and no query's fault (%s)", (_, errno) => {
    const error = toMysqlError(failing({ errno, code: "ER_ANY" }), mysql, null);
    expect(error).toMatchObject({ code: "SOURCE_CREDENTIALS", retryable: false });
  });
});

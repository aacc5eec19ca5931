import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import type { TextRow } from "../../src/sql/dialect.ts";
import { answerCatalogue, type FakeLogin } from "./catalogue.ts";
import * as tds from "./tds.ts";
import { translate } from "./translate.ts";

/**
 * A server that speaks TDS to the real driver, while SQLite runs the statements after a few words were put into its
 * language. From the pages "MS-TDS: Tabular Data Stream Protocol", "TOP", "CAST and CONVERT",
 * "sys.dm_exec_describe_first_result_set", "fn_my_permissions", "IS_ROLEMEMBER" and "Database engine events and errors".
 * It offers no encryption.
 */
export class FakeMssql {
  readonly databases = new Map<string, DatabaseSync>();
  readonly logins = new Map<string, FakeLogin>();
  /** Every statement that was asked for, and the begin and end of transactions. */
  readonly statements: string[] = [];
  /** Every login that was tried. */
  readonly attempts: tds.Login[] = [];
  /** The first rowversion of a transaction that is still open, or else the next one. */
  minActiveRowversion = 0xffffffff;
  /** Statements with this in them get no answer; `asked` is told. */
  silence: { text: string; asked: () => void } | null = null;
  port = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => void this.#serve(socket));

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = (this.#server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  create(name: string): DatabaseSync {
    const database = new DatabaseSync(":memory:");
    const options = { deterministic: true, varargs: true, useBigIntArguments: true };
    database.function("tsql_convert", options, convert);
    database.function("tsql_left", options, (text, length) =>
      text === null || text === undefined ? null : String(text).slice(0, Number(length)),
    );
    database.function("tsql_add_minutes", options, (minutes, time) =>
      new Date(Date.parse(`${String(time).replace(" ", "T")}Z`) + Number(minutes) * 60_000)
        .toISOString()
        .replace("T", " ")
        .replace("Z", ""),
    );
    database.function("MIN_ACTIVE_ROWVERSION", () => rowversion(this.minActiveRowversion));
    this.databases.set(name, database);
    return database;
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    const connection: Connection = { login: null, database: null };
    try {
      for await (const message of tds.readMessages(socket)) {
        const answer = Buffer.concat(this.#answer(message, connection));
        if (this.silence !== null && (this.statements.at(-1) ?? "").includes(this.silence.text)) this.silence.asked();
        else socket.write(tds.encodeMessage(answer));
      }
    } catch {
      // What is not the protocol is hung up on.
    }
    socket.destroy();
    this.#sockets.delete(socket);
  }

  #answer({ type, body }: tds.Message, connection: Connection): Buffer[] {
    const { packetTypes } = tds;
    if (type === packetTypes.prelogin) return [tds.preloginAnswer()];
    if (type === packetTypes.login) return this.#signIn(tds.parseLogin(body), connection);
    if (type === packetTypes.attention) return [tds.doneToken("attention")];
    if (connection.login === null || connection.database === null) throw new Error("nobody has signed in");
    // The driver's own settings, before anything else.
    if (type === packetTypes.batch) return [tds.doneToken("ok")];
    if (type === packetTypes.transaction) {
      const request = tds.parseTransaction(body);
      this.statements.push(request);
      if (request === "other") return [tds.errorToken(102, "the fake only begins and undoes"), tds.doneToken("error")];
      return [tds.transactionChange(request, Buffer.alloc(8, 1)), tds.doneToken("ok")];
    }
    const { sql, values } = tds.parseRpc(body);
    this.statements.push(sql);
    try {
      const { columns, rows } = query(connection.database, connection.login, sql, values);
      return [tds.rowTokens(columns, rows), tds.doneToken("more", "statement"), tds.doneToken("ok", "procedure")];
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const number = text.includes("no such table") ? 208 : text.includes("no such column") ? 207 : 102;
      return [tds.errorToken(number, text), tds.doneToken("error", "procedure")];
    }
  }

  #signIn(attempt: tds.Login, connection: Connection): Buffer[] {
    this.attempts.push(attempt);
    const login = this.logins.get(attempt.user);
    const database = this.databases.get(attempt.database);
    const failed = [
      tds.errorToken(login?.refusal ?? 18456, `Login failed for user '${attempt.user}'.`),
      tds.doneToken("error"),
    ];
    if (login === undefined || login.password !== attempt.password || login.refusal !== undefined) return failed;
    if (database === undefined) {
      const text = `Cannot open database "${attempt.database}" requested by the login. The login failed.`;
      return [tds.errorToken(4060, text), ...failed];
    }
    connection.login = { ...login, user: attempt.user };
    connection.database = database;
    return [tds.loginAck(), tds.doneToken("ok")];
  }
}

export function rowversion(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(value, 4);
  return bytes;
}

type Connection = { login: (FakeLogin & { user: string }) | null; database: DatabaseSync | null };

function query(
  database: DatabaseSync,
  login: FakeLogin & { user: string },
  sql: string,
  values: (string | null)[],
): { columns: string[]; rows: TextRow[] } {
  const known = answerCatalogue(database, login, sql, values);
  if (known !== null) return { columns: (known[0] ?? ["none"]).map((_, index) => `c${index}`), rows: known };
  const statement = database.prepare(translate(sql));
  statement.setReadBigInts(true);
  const parameters = Object.fromEntries(values.map((value, index) => [`p${index + 1}`, value]));
  const rows = statement
    .all(parameters)
    .map((row) => Object.values(row).map((value) => (value === null ? null : String(value))));
  return { columns: statement.columns().map(({ name }) => name), rows };
}

/** CONVERT between text and the types that the tests use. */
function convert(type?: SQLOutputValue, value?: SQLOutputValue): SQLOutputValue {
  if (value === null || value === undefined) return null;
  switch (/^\w+/.exec(String(type))?.[0]) {
    case "int":
    case "bigint":
      return BigInt(String(value));
    case "varbinary":
      return Buffer.from(String(value), "hex");
    case "varchar":
      return value instanceof Uint8Array ? Buffer.from(value).toString("hex").toUpperCase() : String(value);
    case "nvarchar":
    case "datetime2":
    case "datetime":
      return String(value);
  }
  throw new Error(`the fake does not convert to ${String(type)}`);
}

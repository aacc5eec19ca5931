import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { BSON, type Document } from "mongodb";
import { SettledLists } from "../settled-lists.ts";
import { compareValues, findDocuments, matches, project, sortDocuments, Unsupported } from "./query.ts";
import { startScram, type ScramServer } from "./scram.ts";
import { encodeReply, readRequests } from "./wire.ts";

const { Binary, Long } = BSON;

export type FakeUser = {
  password: string;
  roles: { role: string; db: string }[];
  privileges: { resource: { db: string; collection: string }; actions: string[] }[];
};

/**
 * A server that speaks MongoDB's protocol to the real driver, from the pages "MongoDB Wire Protocol", "hello",
 * "connectionStatus", "listCollections", "find", "getMore", "aggregate", "count" and "BSON comparison order" of the manual, and
 * RFC 5802 for signing in. It knows the commands that read, and refuses every other one.
 */
export class FakeMongodb {
  readonly databases = new Map<string, Map<string, Document[]>>();
  readonly users = new Map<string, FakeUser>();
  readonly lists = new SettledLists();
  /** Every command that was asked for, by name. */
  readonly commands: string[] = [];
  /** Fewer than a client asks for, so that every reader has to ask again. */
  batchDocuments = 2;
  port = 0;
  /** This command gets no answer; `asked` is told. */
  silence: { command: string; asked: () => void } | null = null;
  /** Answers given instead of the true ones, once each, by the command's name. */
  readonly failures: { command: string; code: number; codeName: string }[] = [];
  readonly #cursors = new Map<string, { namespace: string; rest: Document[] }>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #lastCursor = 0;

  /** @param certificate to speak TLS only */
  constructor(certificate?: { key: string; cert: string }) {
    const serve = (socket: Socket) => void this.#serve(socket);
    this.#server = certificate === undefined ? createServer(serve) : createTlsServer(certificate, serve);
  }

  async start(): Promise<void> {
    this.#server.listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = (this.#server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  collection(database: string, name: string): Document[] {
    const collections = this.databases.get(database) ?? new Map<string, Document[]>();
    this.databases.set(database, collections);
    const documents = collections.get(name) ?? [];
    collections.set(name, documents);
    return documents;
  }

  put(database: string, name: string, document: Document): void {
    const documents = this.collection(database, name);
    const at = documents.findIndex((other) => compareValues(other["_id"], document["_id"]) === 0);
    if (at === -1) documents.push(document);
    else documents[at] = document;
  }

  remove(database: string, name: string, id: unknown): void {
    const documents = this.collection(database, name);
    const at = documents.findIndex((other) => compareValues(other["_id"], id) === 0);
    if (at !== -1) documents.splice(at, 1);
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    const connection: Connection = { user: null, scram: null };
    try {
      for await (const request of readRequests(socket)) {
        const answer = this.#answer(request.command, connection);
        if (this.silence?.command === this.commands.at(-1)) this.silence?.asked();
        else socket.write(encodeReply(request, answer));
      }
    } catch {
      // What is not the protocol is hung up on.
    }
    socket.destroy();
    this.#sockets.delete(socket);
  }

  #answer(command: Document, connection: Connection): Document {
    const name = Object.keys(command)[0] ?? "";
    this.commands.push(name);
    const failure = this.failures.findIndex((wanted) => wanted.command === name);
    const [demanded] = failure === -1 ? [] : this.failures.splice(failure, 1);
    if (demanded !== undefined) return refusal(demanded.code, demanded.codeName, `${demanded.codeName} on demand`);
    try {
      return { ...this.#run(name, command, connection), ok: 1 };
    } catch (error) {
      if (error instanceof Refusal) return refusal(error.code, error.codeName, error.message);
      if (error instanceof Unsupported) return refusal(2, "BadValue", `the fake does not know ${error.message}`);
      throw error;
    }
  }

  #run(name: string, command: Document, connection: Connection): Document {
    const database = String(command["$db"]);
    switch (name) {
      case "hello":
      case "ismaster":
      case "isMaster":
        return {
          helloOk: true,
          isWritablePrimary: true,
          ismaster: true,
          maxBsonObjectSize: 16_777_216,
          maxMessageSizeBytes: 48_000_000,
          maxWriteBatchSize: 100_000,
          localTime: new Date(),
          minWireVersion: 0,
          maxWireVersion: 21,
          readOnly: false,
          ...(command["saslSupportedMechs"] === undefined ? {} : { saslSupportedMechs: ["SCRAM-SHA-256"] }),
          ...this.#speculate(command, connection),
        };
      case "saslStart":
        return this.#startSasl(command, connection);
      case "saslContinue":
        return this.#continueSasl(command, connection);
      case "ping":
      case "endSessions":
        return {};
      case "connectionStatus":
        return this.#status(connection, command["showPrivileges"] === true);
      case "listCollections":
        return this.#listCollections(database, command, connection);
      case "find":
        return this.#find(database, command, connection);
      case "getMore":
        return this.#getMore(database, command);
      case "killCursors":
        for (const id of command["cursors"] as unknown[]) this.#cursors.delete(String(id));
        return {};
      case "aggregate":
        return this.#count(database, command, connection);
      case "count": {
        const collection = String(command["count"]);
        this.#authorize(connection, "find", database, collection);
        return { n: this.databases.get(database)?.get(collection)?.length ?? 0 };
      }
    }
    throw new Refusal(59, "CommandNotFound", `no such command: '${name}'`);
  }

  #speculate(command: Document, connection: Connection): Document {
    const start = command["speculativeAuthenticate"] as Document | undefined;
    if (start === undefined || start["mechanism"] !== "SCRAM-SHA-256") return {};
    return { speculativeAuthenticate: this.#startSasl(start, connection) };
  }

  #startSasl({ mechanism, payload }: Document, connection: Connection): Document {
    if (mechanism !== "SCRAM-SHA-256") throw new Refusal(334, "MechanismUnavailable", "use SCRAM-SHA-256");
    connection.scram = startScram(textOf(payload), (user) => this.users.get(user)?.password ?? "nobody's password");
    if (connection.scram === null) throw authenticationFailed();
    return { conversationId: 1, done: false, payload: new Binary(Buffer.from(connection.scram.first)) };
  }

  #continueSasl({ payload }: Document, connection: Connection): Document {
    const user = connection.scram?.user ?? "";
    const signature = connection.scram?.finish(textOf(payload)) ?? null;
    if (signature === null || !this.users.has(user)) throw authenticationFailed();
    connection.user = user;
    return { conversationId: 1, done: true, payload: new Binary(Buffer.from(signature)) };
  }

  #status({ user }: Connection, showPrivileges: boolean): Document {
    const known = user === null ? undefined : this.users.get(user);
    return {
      authInfo: {
        authenticatedUsers: user === null ? [] : [{ user, db: "admin" }],
        authenticatedUserRoles: known?.roles ?? [],
        ...(showPrivileges ? { authenticatedUserPrivileges: known?.privileges ?? [] } : {}),
      },
    };
  }

  /** An empty name in a privilege stands for all. */
  #may(user: string | null, action: string, database: string, collection: string): boolean {
    const privileges = this.users.get(user ?? "")?.privileges ?? [];
    return privileges.some(
      ({ resource, actions }) =>
        actions.includes(action) &&
        ["", database].includes(resource.db) &&
        ["", collection].includes(resource.collection),
    );
  }

  #authorize({ user }: Connection, action: string, database: string, collection: string): void {
    if (user === null) throw new Refusal(13, "Unauthorized", `command ${action} requires authentication`);
    if (this.#may(user, action, database, collection)) return;
    throw new Refusal(13, "Unauthorized", `not authorized on ${database} to execute command`);
  }

  #listCollections(database: string, command: Document, connection: Connection): Document {
    const names = [...(this.databases.get(database)?.keys() ?? [])];
    if (command["nameOnly"] !== true || command["authorizedCollections"] !== true) {
      this.#authorize(connection, "listCollections", database, "");
    }
    if (connection.user === null) throw new Refusal(13, "Unauthorized", "command requires authentication");
    const visible = names.filter((name) => this.#may(connection.user, "find", database, name));
    const infos = visible.map((name) => ({ name, type: "collection" }));
    return this.#openCursor(`${database}.$cmd.listCollections`, infos, this.batchDocuments);
  }

  #find(database: string, command: Document, connection: Connection): Document {
    const name = String(command["find"]);
    this.#authorize(connection, "find", database, name);
    const sort = command["sort"] as Document | undefined;
    const sorted = this.lists.of(`${database}.${name} ${JSON.stringify(sort)}`, () =>
      sortDocuments(this.databases.get(database)?.get(name) ?? [], sort),
    );
    const filter = (command["filter"] ?? {}) as Document;
    const limited = findDocuments(sorted, { filter, sort, limit: Number(command["limit"] ?? 0) });
    const documents = limited.map((document) => project(document, command["projection"] as Document | undefined));
    // As they are now: a cursor of the real server may also show what changes later.
    return this.#openCursor(`${database}.${name}`, structuredCloneBson(documents), Number(command["batchSize"] ?? 101));
  }

  #openCursor(namespace: string, documents: Document[], batchSize: number): Document {
    const size = Math.min(batchSize, this.batchDocuments);
    const rest = documents.slice(size);
    this.#lastCursor += 1;
    const id = rest.length === 0 ? 0 : this.#lastCursor;
    if (id !== 0) this.#cursors.set(String(id), { namespace, rest });
    return { cursor: { id: Long.fromNumber(id), ns: namespace, firstBatch: documents.slice(0, size) } };
  }

  #getMore(database: string, command: Document): Document {
    const id = String(command["getMore"]);
    const cursor = this.#cursors.get(id);
    if (cursor === undefined || cursor.namespace !== `${database}.${String(command["collection"])}`) {
      throw new Refusal(43, "CursorNotFound", `cursor id ${id} not found`);
    }
    const nextBatch = cursor.rest.splice(0, this.batchDocuments);
    const isLast = cursor.rest.length === 0;
    if (isLast) this.#cursors.delete(id);
    return { cursor: { id: Long.fromNumber(isLast ? 0 : Number(id)), ns: cursor.namespace, nextBatch } };
  }

  /** What countDocuments sends: $match, $limit, and a $group that adds up ones. */
  #count(database: string, command: Document, connection: Connection): Document {
    const name = String(command["aggregate"]);
    this.#authorize(connection, "find", database, name);
    let documents = this.databases.get(database)?.get(name) ?? [];
    let answer: Document[] | null = null;
    for (const stage of command["pipeline"] as Document[]) {
      if (stage["$match"] !== undefined) {
        const filter = stage["$match"] as Document;
        documents = documents.filter((document) => matches(document, filter));
      } else if (stage["$limit"] !== undefined) documents = documents.slice(0, Number(stage["$limit"]));
      else if (stage["$group"] !== undefined) {
        answer = documents.length === 0 ? [] : [{ _id: 1, n: documents.length }];
      } else throw new Unsupported(Object.keys(stage)[0] ?? "an empty stage");
    }
    if (answer === null) throw new Unsupported("a pipeline that does not count");
    return this.#openCursor(`${database}.${name}`, answer, 1);
  }
}

type Connection = { user: string | null; scram: ScramServer | null };

class Refusal extends Error {
  readonly code: number;
  readonly codeName: string;
  constructor(code: number, codeName: string, message: string) {
    super(message);
    this.code = code;
    this.codeName = codeName;
  }
}

function authenticationFailed(): Refusal {
  return new Refusal(18, "AuthenticationFailed", "Authentication failed.");
}

function refusal(code: number, codeName: string, errmsg: string): Document {
  return { ok: 0, code, codeName, errmsg };
}

function textOf(payload: unknown): string {
  return payload instanceof Binary ? Buffer.from(payload.buffer.subarray(0, payload.position)).toString() : "";
}

function structuredCloneBson(documents: Document[]): Document[] {
  return documents.map((document) => BSON.deserialize(BSON.serialize(document), { promoteBuffers: false }));
}

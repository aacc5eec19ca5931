import { once } from "node:events";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createTestClock } from "../../conformance/test-clock.ts";
import { testContext } from "../../conformance/test-context.ts";
import { s3ConfigSchema } from "./config.ts";
import { s3Connector } from "./s3-connector.ts";

// What people are told of an endpoint where no storage answers.

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const http = (listener: RequestListener) => listen(createHttp(listener));
const answering = (status: number, headers: Record<string, string> = {}) =>
  http((_, response) => response.writeHead(status, headers).end("<html><body>Nothing here.</body></html>"));
const tcp = (onConnection: (socket: Socket) => void) =>
  listen(
    createTcp((socket) => {
      socket.on("error", () => socket.destroy());
      onConnection(socket);
    }),
  );

async function told(endpoint: string) {
  const config = s3ConfigSchema.parse({ bucket: "papers", endpoint, pathStyle: true, allowPrivateHosts: true });
  const context = testContext({ clock: createTestClock() });
  const secrets = { accessKeyId: "a", secretAccessKey: "b" };
  return (await s3Connector.check(config, secrets, context)).error;
}

it("says of a port where nothing listens that the connection was refused", async () => {
  const server = createTcp();
  const place = await listen(server);
  server.close();
  await once(server, "close");
  expect(await told(`http://${place}`)).toMatchObject({
    code: "SOURCE_UNREACHABLE",
    message: `http://${place} cannot be reached: the connection was refused, so nothing listens there or a firewall is in the way.`,
  });
});

it("says of a name that nobody knows that it is the name", async () => {
  expect((await told("http://storage.invalid:9000"))?.message).toBe(
    "http://storage.invalid:9000 cannot be reached: its name is not known to this machine's DNS.",
  );
});

it("says that there is no such bucket where an endpoint answers that nothing is there", async () => {
  const endpoint = `http://${await answering(404)}`;
  expect(await told(endpoint)).toMatchObject({
    code: "SOURCE_NOT_FOUND",
    message: `Bucket "papers" does not exist at ${endpoint}.`,
    action: "Check the bucket's name, the endpoint and the region.",
  });
});

it.each([
  [200, "answers, but not in the S3 protocol."],
  [400, "answers, but not in the S3 protocol (HTTP 400)."],
  [301, "answers, but not in the S3 protocol (HTTP 301)."],
  [500, "answered with an error (HTTP 500)."],
])("tells a web server that answers %i from storage", async (status, words) => {
  const endpoint = `http://${await answering(status, { location: "http://127.0.0.1:1/" })}`;
  expect((await told(endpoint))?.message).toBe(`${endpoint} ${words}`);
});

it("says that another protocol is spoken at the port", async () => {
  const ssh = await tcp((socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"));
  expect((await told(`http://${ssh}`))?.message).toBe(`http://${ssh} answers, but not in HTTP.`);
});

it("says that TLS is not spoken where the address says that it is", async () => {
  const plain = await answering(404);
  expect(await told(`https://${plain}`)).toMatchObject({
    message: `https://${plain} does not speak TLS, or none that this machine accepts.`,
    action: "If the storage speaks plain HTTP there, enter an address that begins with http://.",
  });
});

it("says that the connection is cut", async () => {
  const place = await tcp((socket) => socket.destroy());
  expect((await told(`http://${place}`))?.message).toBe(`http://${place} cannot be reached: the connection was cut.`);
});

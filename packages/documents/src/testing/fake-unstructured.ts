import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

type FakeElement = { type: string; text: string; metadata?: Record<string, unknown> };

type FakeRequest = {
  fileName: string;
  mediaType: string;
  bytes: Buffer;
  fields: Record<string, string[]>;
};

/** What it does with a request before it reads the document. */
type FakeTrouble =
  | { status: number; detail?: unknown; retryAfter?: string }
  | "broken-body"
  | "page"
  | "hang-up"
  | "silence"
  | "redirect";

const strategies = ["fast", "hi_res", "auto", "ocr_only"];
const types = ["application/pdf", "application/msword", "image/png", "application/rtf"];

/**
 * Stands in for the Unstructured API: one key, a list of media types that it takes, the documents it knows with the
 * elements that they have, and a queue of troubles. By docs.unstructured.io (Partition Endpoint: requests, parameters, "Document
 * elements and metadata") and, for its refusals, by its published server (unstructured-api, `prepline_general`).
 */
export class FakeUnstructured {
  readonly requests: FakeRequest[] = [];
  readonly troubles: FakeTrouble[] = [];
  readonly documents = new Map<string, FakeElement[]>();
  key: string | null = null;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<FakeUnstructured> {
    const fake = new FakeUnstructured();
    await new Promise<void>((resolve) => fake.server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const refuse = (status: number, detail: unknown, headers: Record<string, string> = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify({ detail }));
    };
    if (request.method !== "POST" || request.url !== "/general/v0/general") return refuse(404, "Not Found");
    const given = request.headers["unstructured-api-key"];
    if (this.key !== null && given !== this.key) return refuse(401, `API key is invalid: ${String(given)}`);
    const trouble = this.troubles.shift();
    if (trouble === "hang-up") return void response.destroy();
    if (trouble === "silence") return;
    if (trouble === "redirect") return void response.writeHead(307, { location: "http://127.0.0.1:1/" }).end();
    if (trouble === "page") return void response.writeHead(200, { "content-type": "text/html" }).end("<h1>Proxy</h1>");
    if (trouble === "broken-body") {
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write('[{"type":"Title","te');
      return void setImmediate(() => response.destroy());
    }
    if (trouble !== undefined) {
      const headers: Record<string, string> =
        trouble.retryAfter === undefined ? {} : { "retry-after": trouble.retryAfter };
      return refuse(trouble.status, trouble.detail ?? "trouble", headers);
    }
    const form = await new Response(Buffer.concat(chunks), {
      headers: { "content-type": request.headers["content-type"] ?? "" },
    }).formData();
    const file = form.get("files");
    if (!(file instanceof File)) return refuse(400, 'Request parameter "files" is required.\n');
    const names = [...new Set(form.keys())].filter((name) => name !== "files");
    const fields = Object.fromEntries(names.map((name) => [name, form.getAll(name).map(String)]));
    const bytes = Buffer.from(await file.arrayBuffer());
    this.requests.push({ fileName: file.name, mediaType: file.type, bytes, fields });
    if (!types.includes(file.type)) return refuse(400, `File type ${file.type} is not supported.`);
    const [strategy = "auto"] = fields["strategy"] ?? [];
    if (!strategies.includes(strategy)) return refuse(400, `Invalid strategy: ${strategy}.`);
    if (bytes.includes("/Encrypt")) return refuse(422, "File is encrypted. Please decrypt it with password.");
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(this.documents.get(file.name) ?? []));
  }
}

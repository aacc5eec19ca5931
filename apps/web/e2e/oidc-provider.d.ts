// The package carries no types; this is the part that oidc-server.ts uses.
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  type Account = { accountId: string; claims(): Record<string, unknown> & { sub: string } };
  type Client = { client_id: string; client_secret: string; redirect_uris: string[] };
  export type Configuration = {
    clients: Client[];
    claims: Record<string, string[]>;
    cookies: { keys: string[] };
    findAccount(context: unknown, accountId: string): Account | undefined;
  };
  export class Provider {
    constructor(issuer: string, configuration: Configuration);
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
  }
}

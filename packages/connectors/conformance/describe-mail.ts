import { afterAll, beforeAll, describe } from "vitest";
import { findDovecot } from "./start-dovecot.ts";
import { startMailServer, type MailServer } from "./start-mail-server.ts";

/** Tests with a dovecot of their own, which runs once they do; skipped where there is none to be had. */
export function describeMail(name: string, define: (server: Omit<MailServer, "stop">) => void): void {
  const program = findDovecot();
  describe.skipIf(program === null)(`${name}, on dovecot`, () => {
    let server: MailServer;
    beforeAll(async () => {
      server = await startMailServer(program!);
    }, 60_000);
    afterAll(() => server.stop());
    define({
      get dovecot() {
        return server.dovecot;
      },
      get tokenServices() {
        return server.tokenServices;
      },
      createAccount: () => server.createAccount(),
    });
  });
}

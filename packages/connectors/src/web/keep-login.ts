import type { RenewSecrets } from "../connector.ts";
import { maxStateChars } from "./config.ts";
import type { LoginState } from "./login-state.ts";

/**
 * Stores a login as the site has renewed it, for whoever goes on with this crawl and for the next one.
 * @param begunWith the stored state that `login` was read from
 */
export function createLoginKeeper(
  login: LoginState,
  begunWith: string,
  renewSecrets: RenewSecrets,
): () => Promise<void> {
  let kept = begunWith;
  let last = Promise.resolve();
  const store = async () => {
    let written = kept;
    await renewSecrets(async (stored) => {
      const state = login.state();
      // A person has entered another login meanwhile.
      if (stored["storageState"] !== kept || state.length > maxStateChars) return stored;
      written = state;
      return { ...stored, storageState: state };
    });
    kept = written;
  };
  // One after the other: each has to know what the one before has written.
  return () => (last = last.catch(() => {}).then(store));
}

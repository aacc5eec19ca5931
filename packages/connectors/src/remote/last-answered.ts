/**
 * Tells a request that is refused alone from a service that refuses: by asking once more for what it answered last. Of one
 * sync; shared by the clients of one service where it has several.
 */
export type LastAnswered = {
  /** @param place tells one request from another */
  keep(place: string, askAgain: () => Promise<boolean>): void;
  /** Whether the service answers others than the one at `place`; never where it has not yet, or refused many alone. */
  isAnotherAnswered(place: string): Promise<boolean>;
};

/** For clients whose requests use up what they send, such as a code or a refresh token: none may be sent a second time. */
export const neverAskedAgain: LastAnswered = { keep() {}, isAnotherAnswered: async () => false };

/** Each costs half a minute of tries. Of more the service refuses whatever is of their kind. */
const maxRefusedAlone = 20;

export function createLastAnswered(): LastAnswered {
  let last: { place: string; askAgain: () => Promise<boolean> } | null = null;
  let refusedAlone = 0;
  return {
    keep(place, askAgain) {
      last = { place, askAgain };
    },
    async isAnotherAnswered(place) {
      if (last === null || last.place === place || refusedAlone >= maxRefusedAlone) return false;
      refusedAlone += 1;
      return last.askAgain();
    },
  };
}

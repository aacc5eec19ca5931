/** The headers of a request that carry them. */
export type Credentials = Promise<Record<string, string>>;

/** Had once for all requests, and once again for all that were refused with them. */
export type SharedCredentials = {
  get(): Credentials;
  /** Others may have had new ones since these were sent; only the present ones are given up. */
  refuse(used: Credentials): void;
};

export function shareCredentials(authorize: (renew: boolean) => Credentials): SharedCredentials {
  let current: Credentials | undefined;
  /** The last ones that were had are no good any more: true until there are new ones. */
  let refused = false;
  return {
    get() {
      if (current !== undefined) return current;
      const asked = authorize(refused);
      current = asked;
      asked.then(
        () => (refused = false),
        // Those that could not be had are asked for again by the next request.
        () => {
          if (current === asked) current = undefined;
        },
      );
      return asked;
    },
    refuse(used) {
      if (current !== used) return;
      refused = true;
      current = undefined;
    },
  };
}

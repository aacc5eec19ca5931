/**
 * A sign-in without a browser of ours: a person enters a short code at the vendor's own page, and we ask until it is done
 * (OAuth 2.0 Device Authorization Grant, RFC 8628). It keeps nothing: whoever calls it stores what it returns.
 */
export type DeviceSignIn = {
  begin(): Promise<DeviceCode>;
  /**
   * Asks once; not to be called again before the answer's interval is over.
   * @throws AnnealError that says how the sign-in ended, when nobody will be signed in by this code any more
   */
  poll(code: Pick<DeviceCode, "deviceCode" | "intervalMs">): Promise<DeviceAnswer>;
  close(): Promise<void>;
};

export type DeviceCode = {
  /** A credential: whoever has it gets the tokens once the person is done. */
  deviceCode: string;
  /** What the person enters, at this address. */
  userCode: string;
  verificationUri: string;
  intervalMs: number;
  expiresInMs: number;
};

export type DeviceAnswer =
  | { status: "pending"; intervalMs: number }
  /** `secrets` are those of the source from now on; `account` is the vendor's name of who signed in, and no secret. */
  | { status: "done"; secrets: Record<string, string>; account: string };

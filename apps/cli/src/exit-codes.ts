/** What a script is told of how a command ended; 0 is done. 2, and those from 126 on, mean something to shells. */
export const exitCodes = {
  failed: 1,
  /** Somebody paused the sync that was followed: the source is not read to its end. */
  paused: 3,
  cancelled: 4,
  /** What shells expect of a program that Ctrl-C ended. */
  interrupted: 130,
} as const;

export const exitCodesHelp = `Exit codes: 0 done, ${exitCodes.failed} failed (code, what happened, what to do), ${exitCodes.paused} the sync that was followed was paused, ${exitCodes.cancelled} it was cancelled, ${exitCodes.interrupted} stopped by Ctrl-C.`;

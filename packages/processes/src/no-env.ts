/** What a child gets to see that is to know nothing. Next.js' types, where the portal brings them along, want NODE_ENV in each. */
export const noEnv = {} as NodeJS.ProcessEnv;

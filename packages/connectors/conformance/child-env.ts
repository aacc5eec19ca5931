/** What a child process gets to see. Next.js' types, where the portal's tests bring them along, want NODE_ENV in each. */
export function childEnv(env: Record<string, string | undefined>): NodeJS.ProcessEnv {
  return env as NodeJS.ProcessEnv;
}

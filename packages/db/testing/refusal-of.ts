/** What drivers throw is wrapped by Drizzle; PostgreSQL's own words are in the cause. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return String((error as Error).cause ?? error);
  }
  return "nothing was refused";
}

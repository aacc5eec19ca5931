import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { createContext } from "#server/context.ts";
import { appRouter } from "#server/root.ts";

type Params = { params: Promise<{ workspace: string; trpc: string }> };

async function handle(request: Request, { params }: Params): Promise<Response> {
  const { workspace } = await params;
  // Browsers say where a request comes from; another site's page has no business here, whatever cookies it carries.
  if (request.headers.get("sec-fetch-site") === "cross-site") return new Response(null, { status: 403 });
  return fetchRequestHandler({
    endpoint: `/api/w/${workspace}/trpc`,
    req: request,
    router: appRouter,
    createContext: () => createContext(request.headers, workspace),
  });
}

export { handle as GET, handle as POST };

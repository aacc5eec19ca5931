import type { Metadata } from "next";
import { HomePage } from "#features/loop/home-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Home" };

export default async function Home({ params }: { params: Promise<{ workspace: string }> }) {
  const { workspace } = await params;
  return (
    <Prefetch workspace={workspace} queries={(trpc) => [trpc.loop.overview.queryOptions()]}>
      <HomePage />
    </Prefetch>
  );
}

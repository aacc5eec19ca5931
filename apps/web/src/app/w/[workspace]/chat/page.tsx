import type { Metadata } from "next";
import { ChatPage } from "#features/chat/chat-page.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";

export const metadata: Metadata = { title: "Chat" };

type ChatProps = { params: Promise<{ workspace: string }>; searchParams: Promise<{ c?: string | string[] }> };

export default async function Chat({ params, searchParams }: ChatProps) {
  const { workspace } = await params;
  const { c } = await searchParams;
  return (
    <Prefetch
      workspace={workspace}
      queries={(trpc) => [
        trpc.assistants.list.queryOptions(),
        trpc.chat.list.queryOptions(),
        typeof c === "string"
          ? trpc.chat.get.queryOptions({ conversationId: c })
          : trpc.chat.suggestions.queryOptions(),
      ]}
    >
      <ChatPage />
    </Prefetch>
  );
}

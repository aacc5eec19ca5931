"use client";

import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { useState, type ComponentProps, type ReactNode } from "react";
import { Button } from "#components/ui/button.tsx";
import { cn } from "#lib/class-names.ts";

export const Dialog = Radix.Root;
export const DialogTrigger = Radix.Trigger;
export const DialogClose = Radix.Close;

const overlayStyles = "fixed inset-0 z-40 animate-fade-in bg-black/40 dark:bg-black/60";

type SurfaceProps = Omit<ComponentProps<typeof Radix.Content>, "title"> & {
  title: ReactNode;
  description?: ReactNode;
  /** Stays in view below a scrolling body; usually the buttons. */
  footer?: ReactNode;
  /** False for what is shown once: only its own buttons end it, not Escape, a click beside it or a cross. */
  dismissable?: boolean;
};

/**
 * Radix gives the focus back to a dialog's trigger alone; most dialogs here are opened by something else, such as the URL
 * or an entry of a menu.
 */
function Content(props: ComponentProps<typeof Radix.Content>) {
  // Looked at as it opens, before anything in it takes the focus.
  const [opener] = useState(findOpener);
  return (
    <Radix.Content
      onCloseAutoFocus={(event) => {
        if (!opener?.isConnected) return;
        event.preventDefault();
        opener.focus();
      }}
      {...props}
    />
  );
}

/** What has the focus; for an entry of a menu, which will be gone, the button that opened the menu. */
function findOpener(): HTMLElement | null {
  const focused = document.activeElement;
  const menu = focused?.closest("[role=menu]");
  const opener = menu ? document.getElementById(menu.getAttribute("aria-labelledby") ?? "") : focused;
  return opener instanceof HTMLElement && opener !== document.body ? opener : null;
}

/** A question or a short form in the middle of the screen. */
export function DialogContent({
  title,
  description,
  footer,
  dismissable = true,
  className,
  children,
  ...props
}: SurfaceProps) {
  return (
    <Radix.Portal>
      <Radix.Overlay className={overlayStyles} />
      <Content
        className={cn(
          "fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-2rem)] w-[min(32rem,calc(100vw-2rem))] -translate-1/2 animate-fade-in flex-col rounded-panel border border-line bg-raised shadow-raised",
          className,
        )}
        {...(description ? {} : { "aria-describedby": undefined })}
        {...(dismissable ? {} : { onEscapeKeyDown: stay, onInteractOutside: stay })}
        {...props}
      >
        <Surface title={title} description={description} footer={footer} dismissable={dismissable}>
          {children}
        </Surface>
      </Content>
    </Radix.Portal>
  );
}

function stay(event: Event): void {
  event.preventDefault();
}

/** A panel from the side, for detail beside the page that stays visible. */
export function SheetContent({
  title,
  description,
  footer,
  side = "right",
  className,
  children,
  ...props
}: Omit<SurfaceProps, "dismissable"> & { side?: "left" | "right" }) {
  return (
    <Radix.Portal>
      <Radix.Overlay className={overlayStyles} />
      <Content
        className={cn(
          "fixed inset-y-0 z-50 flex w-[min(36rem,100vw)] flex-col bg-raised shadow-raised",
          side === "right"
            ? "right-0 animate-slide-in-right border-l border-line"
            : "left-0 animate-slide-in-left border-r border-line",
          className,
        )}
        {...(description ? {} : { "aria-describedby": undefined })}
        {...props}
      >
        <Surface title={title} description={description} footer={footer}>
          {children}
        </Surface>
      </Content>
    </Radix.Portal>
  );
}

function Surface({
  title,
  description,
  footer,
  dismissable = true,
  children,
}: Pick<SurfaceProps, "title" | "description" | "footer" | "dismissable" | "children">) {
  return (
    <>
      <header className="pt-4 pr-14 pb-3 pl-5">
        <Radix.Title className="text-sm font-semibold">{title}</Radix.Title>
        {description && <Radix.Description className="mt-1 text-13 text-muted">{description}</Radix.Description>}
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto px-5 pb-5">{children}</div>
      {footer && <footer className="flex justify-end gap-2 border-t border-line px-5 py-3">{footer}</footer>}
      {/* Last, so that the first thing to do takes the focus when it opens. */}
      {dismissable && (
        <Radix.Close asChild>
          <Button variant="ghost" size="icon-small" aria-label="Close" className="absolute top-3 right-3">
            <X />
          </Button>
        </Radix.Close>
      )}
    </>
  );
}

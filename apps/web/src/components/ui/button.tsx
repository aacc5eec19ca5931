import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "#lib/class-names.ts";

export const buttonStyles = cva(
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-control font-medium whitespace-nowrap transition-colors select-none disabled:pointer-events-none disabled:opacity-50 aria-disabled:pointer-events-none aria-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "bg-accent text-on-accent hover:bg-accent-hover",
        secondary: "border border-line-strong bg-panel text-ink hover:bg-sunken dark:hover:bg-raised",
        ghost: "text-muted hover:bg-hover hover:text-ink",
        danger: "border border-failed/40 bg-panel text-failed hover:bg-failed/10",
        link: "text-accent underline-offset-4 hover:underline",
      },
      size: {
        small: "h-7 px-2.5 text-13",
        medium: "h-8 px-3 text-13",
        large: "h-10 px-4 text-sm",
        icon: "size-8",
        "icon-small": "size-7",
        inline: "h-auto p-0 text-[length:inherit]",
      },
    },
    defaultVariants: { variant: "secondary", size: "medium" },
  },
);

type ButtonProps = ComponentProps<"button"> &
  VariantProps<typeof buttonStyles> & {
    asChild?: boolean;
    /** Shows a spinner and blocks a second press; the label stays, so that nothing shifts. */
    busy?: boolean;
  };

export function Button({ className, variant, size, asChild, busy, disabled, children, ...props }: ButtonProps) {
  const styles = cn(buttonStyles({ variant, size }), className);
  if (asChild)
    return (
      <Slot.Root className={styles} {...props}>
        {children}
      </Slot.Root>
    );
  return (
    <button type="button" className={styles} disabled={disabled || busy} aria-busy={busy || undefined} {...props}>
      {busy && <LoaderCircle className="animate-spin" aria-hidden />}
      {children}
    </button>
  );
}

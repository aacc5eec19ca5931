"use client";

import { destinations } from "#components/shell/navigation.ts";
import { Dialog, DialogContent } from "#components/ui/dialog.tsx";
import { Kbd } from "#components/ui/kbd.tsx";

const general = [
  { keys: ["Ctrl", "K"], what: "Go to, run, find" },
  { keys: ["/"], what: "Search on this page" },
  { keys: ["?"], what: "This list" },
  { keys: ["↑", "↓"], what: "Move through a table" },
  { keys: ["Enter"], what: "Open the row" },
  { keys: ["Esc"], what: "Close" },
];

export function ShortcutHelp({ open, onOpenChange }: { open: boolean; onOpenChange(open: boolean): void }) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent title="Keyboard">
        <div className="grid gap-6 text-13 sm:grid-cols-2">
          <KeyList title="Anywhere" rows={general} />
          <KeyList title="Go to" rows={destinations.map(({ label, key }) => ({ keys: ["g", key], what: label }))} />
        </div>
      </DialogContent>
    </Dialog>
  );
}

function KeyList({ title, rows }: { title: string; rows: { keys: string[]; what: string }[] }) {
  return (
    <section>
      <h3 className="mb-2 text-xs text-muted">{title}</h3>
      <dl className="space-y-2">
        {rows.map(({ keys, what }) => (
          <div key={what} className="flex items-center justify-between gap-4">
            <dt>{what}</dt>
            <dd className="flex gap-1">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

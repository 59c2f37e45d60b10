import { useEffect, useRef, useState } from 'react';
import { Dialog } from '../controls/dialog.tsx';
import { Icon } from '../controls/icons.tsx';
import { listKeys } from '../controls/list_keys.ts';

export interface PaletteItem {
  id: string;
  group: string;
  text: string;
  hint?: string;
  /** Found by typing alone: there are too many of its kind to be listed. */
  searched?: true;
  act: () => void;
}

/** What was chosen lately comes first, in this page's life only. */
const recent: string[] = [];
const recentMax = 5;

/** Every word typed must begin a word of the item; nothing typed shows what is not only searched, recent first. */
export function rankItems(items: readonly PaletteItem[], search: string, lately: readonly string[]): PaletteItem[] {
  const words = search
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const scored = items.flatMap((item, index) => {
    const text = `${item.text} ${item.hint ?? ''} ${item.group}`.toLowerCase();
    const parts = text.split(/[\s:/.-]+/);
    let score = 0;
    for (const word of words) {
      if (parts.some((part) => part.startsWith(word))) score += 2;
      else if (text.includes(word)) score += 1;
      else return [];
    }
    const at = lately.indexOf(item.id);
    if (item.searched === true && words.length === 0 && at === -1) return [];
    return [{ item, index, score: score + (at === -1 ? 0 : 10 - at) }];
  });
  return scored.sort((a, b) => b.score - a.score || a.index - b.index).map(({ item }) => item);
}

/** Go to or do: one list over pages, sites, periods and actions, answered without a request. */
export function Palette({ items, onClose }: { items: readonly PaletteItem[]; onClose: () => void }) {
  const [search, setSearch] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const found = rankItems(items, search, recent);
  const active = Math.min(at, Math.max(0, found.length - 1));

  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const choose = (item: PaletteItem | undefined) => {
    if (item === undefined) return;
    const known = recent.indexOf(item.id);
    if (known !== -1) recent.splice(known, 1);
    recent.unshift(item.id);
    recent.length = Math.min(recent.length, recentMax);
    onClose();
    item.act();
  };

  return (
    <Dialog label="Go to or do" className="palette" onClose={onClose}>
      <div className="palette-in">
        <Icon name="search" />
        <input
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={found[active] === undefined ? undefined : `palette-${active}`}
          aria-label="Go to or do"
          placeholder="Go to or do…"
          value={search}
          onChange={(event) => {
            setSearch(event.target.value);
            setAt(0);
          }}
          onKeyDown={listKeys({ active, count: found.length, move: setAt, choose: () => choose(found[active]) })}
        />
        <kbd className="kbd">Esc</kbd>
      </div>
      <div className="options" id="palette-list" role="listbox" aria-label="Results" ref={list}>
        {found.map((item, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input above owns the keyboard (combobox pattern).
          <div
            key={item.id}
            id={`palette-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onPointerMove={() => setAt(index)}
            onClick={() => choose(item)}
          >
            <span className="cut">
              {item.text}
              {item.hint !== undefined && <span className="q"> {item.hint}</span>}
            </span>
            <span className="q">{item.group}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="pop-text">Nothing here is called “{search}”.</p>}
    </Dialog>
  );
}

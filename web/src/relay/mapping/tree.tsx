import type { KeyboardEvent } from 'react';
import { useRef, useState } from 'react';
import { Icon } from '../../controls/icons.tsx';
import { shapeOfPath } from './model.ts';
import { type TreeRow, treeRows } from './tree_rows.ts';

/** One part of a captured request: what is there, what is used, and a click that puts its path into the open field. */
export function RequestTree({
  label,
  data,
  root = '',
  used,
  lit,
  onPick,
}: {
  label: string;
  data: unknown;
  root?: string;
  used: ReadonlySet<string>;
  /** The shape of the path that the open field reads. */
  lit: ReadonlySet<string>;
  onPick: (path: string) => void;
}) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(() => largeParts(data, root));
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const rows = treeRows(data, root, closed);
  const toggle = (path: string) => {
    const next = new Set(closed);
    if (!next.delete(path)) next.add(path);
    setClosed(next);
  };
  const isBranch = (row: TreeRow) => row.kind === 'list' || row.kind === 'object';
  const go = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setAt(next);
    list.current?.querySelectorAll<HTMLElement>('[role=treeitem]')[next]?.focus();
  };
  const onKey = (event: KeyboardEvent, row: TreeRow, index: number) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: Record<string, () => void> = {
      ArrowDown: () => go(index + 1),
      ArrowUp: () => go(index - 1),
      Home: () => go(0),
      End: () => go(rows.length - 1),
      ArrowRight: () => (isBranch(row) && !row.isOpen ? toggle(row.path) : go(index + 1)),
      ArrowLeft: () => (isBranch(row) && row.isOpen ? toggle(row.path) : go(parentOf(rows, index))),
      Enter: () => (isBranch(row) ? toggle(row.path) : onPick(row.path)),
      ' ': () => (isBranch(row) ? toggle(row.path) : onPick(row.path)),
    };
    const act = acts[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  if (rows.length === 0) return null;
  return (
    <div role="tree" aria-label={label} className="mp-tree" ref={list}>
      {rows.map((row, index) => {
        const shape = shapeOfPath(row.path);
        const isUsed = used.has(shape);
        return (
          <div
            key={row.path}
            role="treeitem"
            tabIndex={index === Math.min(at, rows.length - 1) ? 0 : -1}
            aria-level={row.depth + 1}
            {...(isBranch(row) ? { 'aria-expanded': row.isOpen } : {})}
            aria-selected={lit.has(shape)}
            className={`mp-tr ${isUsed ? 'used' : ''} of-${row.kind}`}
            style={{ '--d': row.depth } as React.CSSProperties}
            onFocus={() => setAt(index)}
            onClick={() => (isBranch(row) ? toggle(row.path) : onPick(row.path))}
            onKeyDown={(event) => onKey(event, row, index)}
          >
            <span className="mp-tw">{isBranch(row) && <Icon name={row.isOpen ? 'down' : 'right'} />}</span>
            <span className="mp-tk">{row.name}:</span>
            <span className="mp-tv">{row.text}</span>
            {isUsed && (
              <>
                <span className="vh">, used</span>
                <i className="mp-us" />
              </>
            )}
          </div>
        );
      })}
    </div>
  );
}

function parentOf(rows: readonly TreeRow[], index: number): number {
  const depth = rows[index]?.depth ?? 0;
  for (let at = index - 1; at >= 0; at--) if ((rows[at]?.depth ?? 0) < depth) return at;
  return index;
}

/** Items after the first of a list begin closed: they are like it. */
function largeParts(data: unknown, root: string): ReadonlySet<string> {
  const closed = new Set<string>();
  for (const { path, kind } of treeRows(data, root, closed))
    if (kind === 'object' && /\[(?!0\])\d+\]$/.test(path)) closed.add(path);
  return closed;
}

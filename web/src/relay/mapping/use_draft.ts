import { useEffect, useRef, useState } from 'react';
import type { Mapping } from '../../../../contract/mapping.ts';
import { onLeave } from '../../desk/session.tsx';
import { now, storeDrafts, storedDrafts } from '../../edge/browser.ts';
import { type Draft, readDrafts, withDraft } from './drafts.ts';

/** Typing does not store each key. */
const restMs = 300;
/** What this page holds where the browser keeps nothing, so that going to another page and back loses nothing. */
const held = new Map<string, Draft>();
onLeave(() => held.clear());

function keep(place: string, draft: Draft | undefined): boolean {
  const text = withDraft(readDrafts(storedDrafts(), now()), place, draft);
  const isKept = text !== undefined && storeDrafts(text);
  // Nothing is held beside the browser: it would still be here when another tab signs out.
  if (draft === undefined || isKept) held.delete(place);
  else held.set(place, draft);
  return isKept;
}

export interface DraftState {
  mapping: Mapping;
  /** Undefined while nothing is changed. */
  draft: Pick<Draft, 'after' | 'at'> | undefined;
  /** False where the browser does not keep it: then it is lost with the tab. */
  isKept: boolean;
  set(mapping: Mapping): void;
  /** Takes this for the draft, as one that began from the version that is in force now. */
  rebase(mapping: Mapping): void;
  /** Back to what is saved. */
  discard(): void;
  /** What was a draft is a version now. */
  drop(): void;
}

/**
 * A mapping while it is changed. Each change is kept in the browser with the version that it began from, and found again
 * after a reload, in another tab, and after signing in again where a session ended by itself. Signing out by hand takes it away.
 */
export function useDraft(place: string, saved: Mapping, version: number): DraftState {
  const savedText = JSON.stringify(saved);
  const [state, setState] = useState<{ mapping: Mapping; draft: DraftState['draft'] }>(() => {
    const found = readDrafts(storedDrafts(), now())[place] ?? held.get(place);
    if (found === undefined || JSON.stringify(found.mapping) === savedText) return { mapping: saved, draft: undefined };
    return { mapping: found.mapping, draft: { after: found.after, at: found.at } };
  });
  const [isKept, setKept] = useState(true);
  const due = useRef<() => void>(undefined);
  const { mapping, draft } = state;
  useEffect(() => {
    const store = () => {
      due.current = undefined;
      setKept(keep(place, draft === undefined ? undefined : { ...draft, mapping }));
    };
    due.current = store;
    const timer = setTimeout(() => due.current?.(), restMs);
    return () => clearTimeout(timer);
  }, [place, mapping, draft]);
  useEffect(() => {
    // What was typed last is stored with the page's end, too, and with the editor's.
    const flush = () => due.current?.();
    window.addEventListener('pagehide', flush);
    const stay = onLeave(() => {
      due.current = undefined;
    });
    return () => {
      stay();
      window.removeEventListener('pagehide', flush);
      flush();
    };
  }, []);
  const isLost = draft !== undefined && !isKept;
  useEffect(() => {
    if (!isLost) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [isLost]);
  return {
    ...{ mapping, draft, isKept },
    set: (next) =>
      setState(
        JSON.stringify(next) === savedText && (draft === undefined || draft.after === version)
          ? { mapping: next, draft: undefined }
          : { mapping: next, draft: { after: draft?.after ?? version, at: now() } },
      ),
    rebase: (mapping) => setState({ mapping, draft: { after: version, at: now() } }),
    discard: () => setState({ mapping: saved, draft: undefined }),
    drop: () => {
      due.current = undefined;
      keep(place, undefined);
    },
  };
}

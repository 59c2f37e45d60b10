import type { FormEvent } from 'react';
import { useEffect, useRef, useState } from 'react';
import type { ShieldList } from '../../../contract/shields.ts';
import { Field, FormError } from '../controls/field.tsx';
import type { DeskError, Shield, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { shownValue } from './kinds.ts';

export interface RemovalState {
  removed: { shield: Shield; undo: string } | undefined;
  /** The desk wants this one confirmed in words: what it lets in keeps nearly everything else out. */
  asked: { shield: Shield; why: string } | undefined;
  refusal: DeskError | undefined;
  remove: (shield: Shield, confirm?: string) => void;
  restore: () => void;
  forget: () => void;
}

/** Removing a rule and taking that back. */
export function useRemoval(site: Site, onChanged: () => void): RemovalState {
  const [removed, setRemoved] = useState<RemovalState['removed']>();
  const [asked, setAsked] = useState<RemovalState['asked']>();
  const [refusal, setRefusal] = useState<DeskError>();
  const clear = () => {
    setRemoved(undefined);
    setAsked(undefined);
    setRefusal(undefined);
  };
  const fail = (error: unknown) => setRefusal(asDeskError(error));
  return {
    removed,
    asked,
    refusal,
    remove(shield, confirm) {
      clear();
      api.removeShield(site.domain, shield.id, confirm).then(
        ({ undo }) => {
          setRemoved({ shield, undo });
          onChanged();
        },
        (error: unknown) => {
          const told = asDeskError(error);
          if (told.field === 'confirm') setAsked({ shield, why: told.message });
          else fail(error);
        },
      );
    },
    restore() {
      if (removed === undefined) return;
      const { undo } = removed;
      setRefusal(undefined);
      api.restoreShield(site.domain, undo).then(() => {
        clear();
        // The button that was pressed is gone; the focus goes on from the page.
        document.getElementById('main')?.focus();
        onChanged();
      }, fail);
    },
    forget: clear,
  };
}

/** What became of a removal, above the rules. It takes the focus: the button that was pressed is gone. */
export function Removal({
  removal: { removed, asked, refusal, remove, restore, forget },
  site,
  list,
}: {
  removal: RemovalState;
  site: Site;
  list: ShieldList | undefined;
}) {
  const undo = useRef<HTMLButtonElement>(null);
  useEffect(() => undo.current?.focus(), [removed]);
  return (
    <>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      {asked !== undefined && (
        <Confirm
          key={asked.shield.id}
          why={asked.why}
          site={site}
          onConfirm={(word) => remove(asked.shield, word)}
          onCancel={forget}
        />
      )}
      {removed !== undefined && (
        <p className="note" role="status">
          <span>
            {removedText(removed.shield, list)}{' '}
            <button ref={undo} type="button" className="link" onClick={restore}>
              Undo
            </button>
          </span>
        </p>
      )}
    </>
  );
}

function Confirm({
  why,
  site,
  onConfirm,
  onCancel,
}: {
  why: string;
  site: Site;
  onConfirm: (word: string) => void;
  onCancel: () => void;
}) {
  const [word, setWord] = useState('');
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (word.trim() === site.domain) onConfirm(word.trim());
  };
  return (
    <form className="form sh-confirm" onSubmit={submit}>
      <Field label={`Type ${site.domain} to remove it all the same`} help={why}>
        {(props) => (
          <input
            {...props}
            ref={box}
            className="in"
            value={word}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
            onChange={(event) => setWord(event.target.value)}
          />
        )}
      </Field>
      <div className="go">
        <button type="submit" className="btn danger" disabled={word.trim() !== site.domain}>
          Remove the rule
        </button>
        <button type="button" className="btn quiet" onClick={onCancel}>
          Keep it
        </button>
      </div>
    </form>
  );
}

function removedText({ kind, value, note }: Shield, list: ShieldList | undefined): string {
  const name = shownValue(kind, value) ?? note;
  if (kind === 'rate') return 'The rate limit is removed.';
  if (kind === 'hostname')
    return list?.shields.some((one) => one.kind === 'hostname')
      ? `“${name}” is removed from the allowed hostnames: its events are dropped from now on.`
      : `“${name}” is removed. Every hostname is counted again.`;
  return `“${name}” is removed. What it dropped is counted from now on.`;
}

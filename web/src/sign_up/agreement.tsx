import { useState } from 'react';
import { Glyph } from '../controls/icons.tsx';
import type { Agreement, DocumentKind, LegalDocument } from './api.ts';

export const documentNames: Readonly<Record<DocumentKind, string>> = {
  terms: 'Terms of service',
  privacy: 'Privacy notice',
  processing: 'Data processing terms',
};

/** Said where something was left open. */
export const agreementNeeded = 'Tick each of these to go on.';

/** What is ticked, and as the desk takes it. The age is asked where an account is made. */
export function useAgreement(documents: readonly LegalDocument[], asksAge: boolean) {
  const [isAdult, setAdult] = useState(false);
  const [ticked, setTicked] = useState<readonly DocumentKind[]>([]);
  const value: Agreement = {
    is_adult: isAdult,
    accepted: documents.filter(({ kind }) => ticked.includes(kind)).map(({ kind, version }) => ({ kind, version })),
  };
  return {
    documents,
    asksAge,
    isAdult,
    setAdult,
    ticked,
    tick: (kind: DocumentKind, on: boolean) =>
      setTicked((before) => (on ? [...before, kind] : before.filter((one) => one !== kind))),
    value,
    isWhole: (!asksAge || isAdult) && value.accepted.length === documents.length,
  };
}

/** A box for the age and one for each document, with its version and its page; nothing where nothing is asked. */
export function AgreementFields({
  of: { documents, asksAge, isAdult, setAdult, ticked, tick },
  error,
}: {
  of: ReturnType<typeof useAgreement>;
  error?: string | undefined;
}) {
  if (!asksAge && documents.length === 0) return null;
  return (
    <fieldset className={`agreement ${error === undefined ? '' : 'wrong'}`}>
      <legend className="vh">What you agree to</legend>
      {asksAge && (
        <label className="tick">
          <input type="checkbox" checked={isAdult} onChange={(event) => setAdult(event.target.checked)} />
          <span>I am 18 years old or more.</span>
        </label>
      )}
      {documents.map(({ kind, version, path }) => (
        <label key={kind} className="tick">
          <input
            type="checkbox"
            checked={ticked.includes(kind)}
            onChange={(event) => tick(kind, event.target.checked)}
          />
          <span>
            I have read and accept the{' '}
            <a className="link" href={path} target="_blank" rel="noreferrer">
              {documentNames[kind].toLowerCase()}
            </a>
            , version {version}.
          </span>
        </label>
      ))}
      {error !== undefined && (
        <span className="help st bad" role="alert">
          <Glyph state="bad" />
          <span>{error}</span>
        </span>
      )}
    </fieldset>
  );
}

import { useCallback, useState } from 'react';
import { Glyph, Icon } from '../controls/icons.tsx';
import { useReading } from '../desk/reading.ts';
import { may, type Organisation, useSession } from '../desk/session.tsx';
import { calendarDay } from '../edge/reader.ts';
import { TrustFrame } from '../trust/trust_frame.tsx';
import { useRead } from '../windows/parts.tsx';
import { documents, type PaperSummary, type PapersAnswer } from './api.ts';
import { Identity, IdentityForm } from './identity.tsx';
import { PaperDetail } from './paper.tsx';
import { stateOf } from './words.ts';
import './documents.css';

/** What do we say publicly, and is it what we do? */
export function DocumentsPage({ organisation }: { organisation: Organisation }) {
  return (
    <TrustFrame organisation={organisation} title="Documents" what="the documents" name="documents">
      <Documents organisation={organisation} />
    </TrustFrame>
  );
}

function Documents({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { answer, reload, instead } = useRead(
    useCallback(() => documents.list(id), [id]),
    'the documents',
    ['Document'],
  );
  return (
    <>
      <section className="panel" aria-labelledby="documents">
        <div className="do-lead">
          <h2 id="documents">{answer === undefined ? 'Documents' : leadOf(answer)}</h2>
          <p className="q2">
            Each is written from what this desk stores and whom it calls, so it is always of today. What is published
            stays as it was, under{' '}
            {answer?.papers.some(({ newest }) => newest !== null) === true ? (
              <a className="link" href={answer.path}>
                {answer.path}
              </a>
            ) : (
              (answer?.path ?? '/legal')
            )}
            . They say what the code does, and are no legal advice.
          </p>
        </div>
        {answer === undefined
          ? instead
          : answer.papers.map((one) => (
              <Line
                key={one.kind}
                of={one}
                organisation={organisation}
                acceptance={answer.acceptance}
                onChanged={reload}
              />
            ))}
      </section>
      <Who organisation={organisation} onChanged={reload} />
    </>
  );
}

function leadOf({ papers }: PapersAnswer): string {
  const published = papers.filter(({ newest }) => newest !== null).length;
  const changed = papers.filter(({ newest, state }) => newest !== null && state !== 'published').length;
  if (published === 0) return 'Nothing is published yet';
  if (changed > 0)
    return changed === 1 ? 'One published document is not of today' : `${changed} published documents are not of today`;
  return published === papers.length
    ? 'All documents are published and of today'
    : `${published} of ${papers.length} are published`;
}

function Line({
  of,
  organisation,
  acceptance,
  onChanged,
}: {
  of: PaperSummary;
  organisation: Organisation;
  acceptance: PapersAnswer['acceptance'];
  onChanged: () => void;
}) {
  const [isOpen, setOpen] = useState(false);
  const { state, text } = stateOf(of);
  return (
    <details className="do-one" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="opens">
        <b>{of.name}</b>
        <span className={`st ${state}`}>
          <Glyph state={state} />
          {text}
        </span>
        <span className="q2">
          {of.newest === null
            ? 'No version yet'
            : `Version ${of.newest.version}, from ${calendarDay(of.newest.effective_on)}`}
        </span>
        <Icon name="right" />
      </summary>
      {isOpen && <PaperDetail of={of} organisation={organisation} acceptance={acceptance} onChanged={onChanged} />}
    </details>
  );
}

function Who({ organisation, onChanged }: { organisation: Organisation; onChanged: () => void }) {
  const { id } = organisation;
  const { person } = useSession();
  const { answer, set } = useReading(useCallback(() => documents.identity(id), [id]));
  const [saying, setSaying] = useState<'organisation' | 'operator'>();
  const manages = may(organisation, 'policy.manage');
  return (
    <section className="panel" aria-labelledby="who">
      <div className="do-lead">
        <h2 id="who">Who this is</h2>
        <p className="q2">
          Said once, it stands in every document, reply and public page. Before it is said there are none.
        </p>
      </div>
      {answer === undefined ? (
        <p className="do-pending q2" aria-busy="true">
          Reading who this is…
        </p>
      ) : (
        <div className="do-both">
          <Identity
            title={organisation.name}
            party={answer.organisation}
            who="Owners and privacy officers can say it."
            onChange={manages ? () => setSaying('organisation') : undefined}
          />
          <Identity
            title="The operator of this desk"
            party={answer.operator}
            who="Whoever runs this desk can say it."
            onChange={person.is_operator ? () => setSaying('operator') : undefined}
          />
        </div>
      )}
      {saying !== undefined && answer !== undefined && (
        <IdentityForm
          organisation={saying === 'organisation' ? organisation : undefined}
          identity={answer}
          onClose={() => setSaying(undefined)}
          onSaved={(saved) => {
            set(saved);
            setSaying(undefined);
            onChanged();
          }}
        />
      )}
    </section>
  );
}

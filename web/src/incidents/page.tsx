import { useCallback, useState } from 'react';
import { Glyph, Icon } from '../controls/icons.tsx';
import { asDeskError } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { may, type Organisation } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { momentInZone, momentText, readerZone } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { TrustFrame } from '../trust/trust_frame.tsx';
import { useRead } from '../windows/parts.tsx';
import { type Affected, type Incident, type Incidents, incidents } from './api.ts';
import { Disclosures } from './disclosures.tsx';
import { Concern, Drafts } from './drafts.tsx';
import { CloseForm, EntryForm, OpenForm, ReportForm } from './forms.tsx';
import { clockWords, entryWords, severityWords, touched } from './words.ts';
import './incidents.css';

/** What went wrong, how long is left to tell the authority, and what was done. */
export function IncidentsPage({ organisation }: { organisation: Organisation }) {
  return (
    <TrustFrame organisation={organisation} title="Incidents" what="the register of incidents" name="incidents">
      <Register organisation={organisation} />
      <Disclosures organisation={organisation} />
    </TrustFrame>
  );
}

function Register({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { answer, set, reload, instead } = useRead(
    useCallback(() => incidents.list(id), [id]),
    'the register',
    ['Incident'],
  );
  const [isOpening, setOpening] = useState(false);
  const manages = may(organisation, 'policy.manage');
  const older = async (before: number) => {
    const more = await incidents.list(id, before).catch(() => undefined);
    if (more !== undefined && answer !== undefined)
      set({ incidents: [...answer.incidents, ...more.incidents], next: more.next });
  };
  return (
    <>
      <Drafts organisation={organisation} onEntered={reload} />
      <section className="panel" aria-labelledby="incidents">
        <div className="in-lead">
          <div>
            <h2 id="incidents">Register</h2>
            <p className="q2">
              A breach of personal data has to be told to the authority within 72 hours after it became known, or the
              register says why not. Every entry stays as it was written.
            </p>
          </div>
          {manages && (
            <button type="button" className="btn main-act" onClick={() => setOpening(true)}>
              Enter an incident
            </button>
          )}
        </div>
        {answer === undefined ? (
          instead
        ) : answer.incidents.length === 0 ? (
          <Empty title="No incident was entered.">
            A lost device, a mail to the wrong person, an account that somebody else used: it is entered here as soon as
            it is known.
          </Empty>
        ) : (
          answer.incidents.map((one) => <Line key={one.id} of={one} organisation={organisation} onChanged={reload} />)
        )}
        {answer !== undefined && answer.next !== null && (
          <footer className="in-more">
            <button type="button" className="btn" onClick={() => void older(answer.next as number)}>
              Older ones
            </button>
          </footer>
        )}
        {isOpening && (
          <OpenForm
            organisation={organisation}
            onClose={() => setOpening(false)}
            onSaved={() => {
              setOpening(false);
              reload();
            }}
          />
        )}
      </section>
    </>
  );
}

function Line({
  of,
  organisation,
  onChanged,
}: {
  of: Incidents['incidents'][number];
  organisation: Organisation;
  onChanged: () => void;
}) {
  const [isOpen, setOpen] = useState(false);
  const clock = clockWords(of, now());
  return (
    <details className="in-one" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="opens">
        <b>{of.title}</b>
        <span className={`st ${clock.state}`}>
          <Glyph state={clock.state} />
          {clock.text}
        </span>
        <span className="q2">
          {severityWords[of.severity]}, known {momentInZone(of.known_at)}
        </span>
        <Icon name="right" />
      </summary>
      {isOpen && <Detail id={of.id} organisation={organisation} onChanged={onChanged} />}
    </details>
  );
}

type Doing = 'found' | 'measure' | 'report' | 'close';

function Detail({ id, organisation, onChanged }: { id: number; organisation: Organisation; onChanged: () => void }) {
  const {
    answer: incident,
    problem,
    reload,
    set,
  } = useReading(useCallback(() => incidents.read(organisation.id, id), [organisation.id, id]));
  const [doing, setDoing] = useState<Doing>();
  if (problem !== undefined)
    return (
      <Failed
        code={problem.code}
        message={problem.message}
        reference={problem.reference}
        onRetry={reload}
        what="This incident could not be read."
      />
    );
  if (incident === undefined) return <p className="in-body q2">Reading the incident…</p>;
  const saved = (after: Incident) => {
    set(after);
    setDoing(undefined);
    onChanged();
  };
  const isDecided = incident.clock === 'told' || incident.clock === 'untold';
  const forms = { organisation, incident, onClose: () => setDoing(undefined), onSaved: saved };
  return (
    <div className="in-body">
      <p className="in-what">{incident.what}</p>
      <dl>
        <div>
          <dt>Began</dt>
          <dd>{momentInZone(incident.began_at)}</dd>
        </div>
        <div>
          <dt>Became known</dt>
          <dd>{momentInZone(incident.known_at)}</dd>
        </div>
        <div>
          <dt>72 hours end</dt>
          <dd>{momentInZone(incident.due_at)}</dd>
        </div>
        {incident.told_at !== null && (
          <div>
            <dt>Authority told</dt>
            <dd>
              {incident.authority}, {momentInZone(incident.told_at)}
            </dd>
          </div>
        )}
        {incident.untold_reason !== null && (
          <div>
            <dt>None told, since</dt>
            <dd>{incident.untold_reason}</dd>
          </div>
        )}
        <div>
          <dt>Data</dt>
          <dd>
            {incident.classes.map((one) => touched.find(([known]) => known === one)?.[1] ?? `class ${one}`).join(', ')}
          </dd>
        </div>
        <div>
          <dt>Sites</dt>
          <dd>{incident.sites.length === 0 ? 'all of the organisation' : incident.sites.join(', ')}</dd>
        </div>
      </dl>
      {incident.concerns.map((one) => (
        <section className="in-draft" key={one.reported_at} aria-label="Reported by the form">
          <h3>Reported by the form on {momentInZone(one.reported_at)}</h3>
          <Concern of={one} />
        </section>
      ))}
      <HowMany id={id} organisation={organisation} />
      <h3>Log, times in {readerZone()}</h3>
      <ol className="in-log">
        {incident.log.map((entry) => (
          <li key={entry.id}>
            <time dateTime={entry.at}>{momentText(entry.at)}</time>
            <b>{entryWords[entry.kind]}</b>
            <span>
              {entry.said}
              <small>{entry.name ?? 'by somebody who is no member any more'}</small>
            </span>
          </li>
        ))}
      </ol>
      {may(organisation, 'policy.manage') && (
        <div className="in-acts">
          {incident.clock !== 'told' && (
            <button
              type="button"
              className={isDecided ? 'btn sm' : 'btn sm main-act'}
              onClick={() => setDoing('report')}
            >
              {isDecided ? 'An authority was told after all' : 'Decide about the authority'}
            </button>
          )}
          <button type="button" className="btn sm" onClick={() => setDoing('found')}>
            Add what was found
          </button>
          <button type="button" className="btn sm" onClick={() => setDoing('measure')}>
            Add a measure
          </button>
          {isDecided && incident.closed_at === null && (
            <button type="button" className="btn sm quiet" onClick={() => setDoing('close')}>
              Close the incident
            </button>
          )}
        </div>
      )}
      {(doing === 'found' || doing === 'measure') && <EntryForm {...forms} kind={doing} />}
      {doing === 'report' && <ReportForm {...forms} />}
      {doing === 'close' && <CloseForm {...forms} />}
    </div>
  );
}

const countWords = {
  visitors: ['visitor', 'visitors'],
  sites: ['site', 'sites'],
  members: ['member', 'members'],
} as const;

/** Counted when somebody asks: it reads the events of the whole span. */
function HowMany({ id, organisation }: { id: number; organisation: Organisation }) {
  const [answer, setAnswer] = useState<Affected | 'asking'>();
  const [problem, setProblem] = useState<string>();
  const ask = () => {
    setAnswer('asking');
    setProblem(undefined);
    incidents.affected(organisation.id, id).then(setAnswer, (error: unknown) => {
      setAnswer(undefined);
      setProblem(asDeskError(error).message);
    });
  };
  return (
    <div className="in-counts" aria-live="polite">
      {answer === undefined || answer === 'asking' ? (
        <button type="button" className="btn sm" disabled={answer === 'asking'} onClick={ask}>
          {answer === 'asking' ? 'Counting…' : 'Count who is affected'}
        </button>
      ) : (
        <ul>
          {answer.counts.map((one) => (
            <li key={one.of}>
              <b>
                {exactCount(one.count)} {countWords[one.of][one.count === 1 ? 0 : 1]}
              </b>
              <span className="q2">{one.question}</span>
            </li>
          ))}
        </ul>
      )}
      {problem !== undefined && <p role="alert">{problem}</p>}
    </div>
  );
}

import { useCallback, useState } from 'react';
import { Field } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import { asDeskError } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { may, type Organisation } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { calendarDay, momentText } from '../edge/reader.ts';
import { Failed } from '../overview/states.tsx';
import { documents, type PaperAnswer, type PaperBlock, type PaperSummary, type PapersAnswer } from './api.ts';

/** One document in place: what is missing, what has changed, its words, and what can be done with it. */
export function PaperDetail({
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
  const { answer, problem, reload, set } = useReading(
    useCallback(() => documents.read(organisation.id, of.kind), [organisation.id, of.kind]),
  );
  const [isPublishing, setPublishing] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  if (problem !== undefined)
    return (
      <Failed
        code={problem.code}
        message={problem.message}
        reference={problem.reference}
        onRetry={reload}
        what="This document could not be read."
      />
    );
  if (answer === undefined) return <p className="do-body q2">Writing the document…</p>;
  const manages = may(organisation, 'policy.manage');
  const act = (work: () => Promise<unknown>) => () => {
    setRefusal(undefined);
    work().then(onChanged, (error: unknown) => setRefusal(asDeskError(error).message));
  };
  const next = (answer.newest?.version ?? 0) + 1;
  const canPublish = answer.state === 'reviewed' && answer.gaps.length === 0;
  return (
    <div className="do-body">
      {answer.gaps.length > 0 && (
        <div className="do-banner" role="note">
          <b>Draft. It cannot be published while this is missing:</b>
          <ul>
            {answer.gaps.map((gap) => (
              <li key={gap}>{gap}</li>
            ))}
          </ul>
        </div>
      )}
      {answer.gaps.length === 0 && answer.state !== 'published' && (
        <p className="do-banner" role="note">
          <b>Draft.</b>{' '}
          {answer.review === null
            ? 'Nobody has said that they read these words.'
            : `Read on ${momentText(answer.review.at)}, not published yet.`}
        </p>
      )}
      {refusal !== undefined && (
        <p className="st bad" role="alert">
          <Glyph state="bad" />
          {refusal}
        </p>
      )}
      {manages && answer.state !== 'published' && (
        <div className="do-acts">
          {answer.state === 'draft' && (
            <button
              type="button"
              className="btn"
              {...resting(answer.gaps.length > 0)}
              onClick={act(async () => set(await documents.review(organisation.id, of.kind, answer.digest)))}
            >
              I have read it
            </button>
          )}
          <button
            type="button"
            className="btn main-act"
            {...resting(!canPublish)}
            onClick={() => canPublish && setPublishing(true)}
          >
            Publish version {next}
          </button>
        </div>
      )}
      {of.kind === 'processing-agreement' && answer.newest !== null && (
        <Acceptance
          version={holdingVersion(answer)}
          acceptance={acceptance}
          organisation={organisation}
          onAccept={act(() => documents.accept(organisation.id, holdingVersion(answer)))}
        />
      )}
      {answer.diff.length > 0 && (
        <section aria-label="What has changed">
          <h3>What has changed since version {answer.newest?.version}</h3>
          <Diff lines={answer.diff} />
        </section>
      )}
      <section aria-label="Its words">
        <h3>What it says now</h3>
        <div className="do-paper">
          {answer.sections.map(({ title, blocks }) => (
            <section key={title}>
              <h4>{title}</h4>
              {blocks.map((block, at) => (
                <Block key={at} of={block} title={title} />
              ))}
            </section>
          ))}
        </div>
      </section>
      {answer.versions.length > 0 && (
        <section aria-label="Versions">
          <h3>Versions</h3>
          <ul className="do-versions">
            {answer.versions.map((one) => (
              <li key={one.version}>
                <a className="link" href={one.path}>
                  Version {one.version}
                </a>
                , from {calendarDay(one.effective_on)}. Published {momentText(one.published_at)}.{' '}
                {one.is_material
                  ? `${one.told} ${one.told === 1 ? 'member was' : 'members were'} told.`
                  : 'A change of wording, of which nobody was told.'}
              </li>
            ))}
          </ul>
        </section>
      )}
      {isPublishing && (
        <PublishForm
          paper={answer}
          organisation={organisation}
          onClose={() => setPublishing(false)}
          onSaved={(saved) => {
            set(saved);
            setPublishing(false);
            onChanged();
          }}
        />
      )}
    </div>
  );
}

const today = () => new Date(now()).toISOString().slice(0, 10);

/** The version that holds today; the first one where none does yet. */
function holdingVersion({ versions }: PaperAnswer): number {
  return (versions.find(({ effective_on }) => effective_on <= today()) ?? versions.at(-1))?.version ?? 0;
}

function Acceptance({
  version,
  acceptance,
  organisation,
  onAccept,
}: {
  version: number;
  acceptance: PapersAnswer['acceptance'];
  organisation: Organisation;
  onAccept: () => void;
}) {
  const isOwner = may(organisation, 'organisation.own');
  return (
    <div className="do-acts">
      {acceptance?.version === version ? (
        <p className="st ok">
          <Glyph state="ok" />
          Version {version} was accepted for {organisation.name} on {momentText(acceptance.at)}.
        </p>
      ) : (
        <>
          <p className="st idle">
            <Glyph state="idle" />
            Version {version} is not accepted for {organisation.name}.{!isOwner && ' An owner can accept it.'}
          </p>
          {isOwner && (
            <button type="button" className="btn" onClick={onAccept}>
              Accept version {version}
            </button>
          )}
        </>
      )}
    </div>
  );
}

const signWords = { '+': 'new', '-': 'gone', ' ': '' } as const;

function Diff({ lines }: { lines: PaperAnswer['diff'] }) {
  return (
    <ol className="do-diff">
      {lines.map(({ sign, line }, at) => (
        <li
          key={at}
          className={sign === '+' ? 'new' : sign === '-' ? 'gone' : line.startsWith('# ') ? 'head' : undefined}
        >
          <span className="do-sign" aria-hidden="true">
            {sign}
          </span>
          <span>
            {sign !== ' ' && <span className="vh">{signWords[sign]}: </span>}
            {line.replace(/^# /, '')}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Block({ of: block, title }: { of: PaperBlock; title: string }) {
  switch (block.kind) {
    case 'text':
      return <p>{block.words}</p>;
    case 'list':
      return (
        <ul>
          {block.items.map((item) => (
            <li key={item}>{item}</li>
          ))}
        </ul>
      );
    case 'picture':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the keys of who has no wheel.
        <section className="do-wide" aria-label={title} tabIndex={0}>
          <img
            className="do-map"
            src={`data:image/svg+xml,${encodeURIComponent(block.svg)}`}
            alt={block.lines.join('. ')}
          />
        </section>
      );
    case 'table':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the keys of who has no wheel.
        <section className="do-wide" aria-label={title} tabIndex={0}>
          <table>
            {block.head.some((one) => one !== '') && (
              <thead>
                <tr>
                  {block.head.map((one) => (
                    <th key={one} scope="col">
                      {one === '' ? <span className="vh">What</span> : one}
                    </th>
                  ))}
                </tr>
              </thead>
            )}
            <tbody>
              {block.rows.map((row, at) => (
                <tr key={at}>
                  {row.map((cell, column) => (
                    <td key={column}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      );
  }
}

function PublishForm({
  paper,
  organisation,
  onClose,
  onSaved,
}: {
  paper: PaperAnswer;
  organisation: Organisation;
  onClose: () => void;
  onSaved: (paper: PaperAnswer) => void;
}) {
  const [day, setDay] = useState(today());
  const [isWording, setWording] = useState(false);
  const version = (paper.newest?.version ?? 0) + 1;
  const body = { digest: paper.digest, effective_on: day, is_material: !isWording };
  return (
    <FormDialog
      label="Publish a version"
      title={`Publish version ${version} of the ${paper.name.toLowerCase()}?`}
      lead={
        <p>
          {isWording
            ? 'Nobody is told of it.'
            : `Every member of ${organisation.name} is told in the desk and by mail.`}{' '}
          A published version stays as it is, for everybody to read.
        </p>
      }
      fields={['effective_on', 'is_material']}
      act={`Publish version ${version}`}
      acting="Publishing…"
      onSend={async () => onSaved(await documents.publish(organisation.id, paper.kind, body))}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          <Field
            label="It holds from"
            error={errorOf('effective_on')}
            help="Today or later; until then the one before holds."
          >
            {(props) => (
              <input
                {...props}
                className="in"
                type="date"
                min={today()}
                value={day}
                onChange={(event) => {
                  clear();
                  setDay(event.target.value);
                }}
              />
            )}
          </Field>
          {!paper.has_changed_facts && (
            <label className="do-check">
              <input type="checkbox" checked={isWording} onChange={(event) => setWording(event.target.checked)} />
              Only the wording has changed: tell nobody
            </label>
          )}
        </>
      )}
    </FormDialog>
  );
}

import { useCallback, useEffect, useState } from 'react';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph } from '../controls/icons.tsx';
import { may, type Organisation, useSession } from '../desk/session.tsx';
import { calendarDay, momentDay } from '../edge/reader.ts';
import { type Member, organisations } from '../organisation/wire.ts';
import { Empty } from '../overview/states.tsx';
import { type Hold, type HoldsAnswer, type NewHold, windows } from './api.ts';
import { useRead, WindowsFrame } from './parts.tsx';

/** What has to stay, whatever the clock says? */
export function HoldsPage({ organisation }: { organisation: Organisation }) {
  return (
    <WindowsFrame organisation={organisation} title="Holds" what="the legal holds">
      <Holds organisation={organisation} />
    </WindowsFrame>
  );
}

const heads = ['What stays', 'Why', 'Answers for it', 'Look again by', ''];
type Doing = { what: 'place' } | { what: 'review' | 'release'; hold: Hold };

function Holds({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { answer, set, instead } = useRead(
    useCallback(() => windows.holds(id), [id]),
    'the holds',
    heads,
  );
  const manages = may(organisation, 'policy.manage');
  const [doing, setDoing] = useState<Doing>();
  const holds = answer?.holds ?? [];
  const inForce = holds.filter(({ released_at }) => released_at === null);
  const released = holds.filter(({ released_at }) => released_at !== null);
  const saved = (one: Hold) => {
    set({ holds: [one, ...holds.filter((before) => before.id !== one.id)], classes: answer?.classes ?? [] });
    setDoing(undefined);
  };
  return (
    <>
      <section className="panel wi-lines" aria-labelledby="holds">
        <div className="wi-lead">
          <div>
            <h2 id="holds">In force</h2>
            <p className="q2">
              What a hold matches is not removed: not by the nightly run, and not with its site. When it is released,
              what is past its window goes with the next night.
            </p>
          </div>
          {manages && (
            <button type="button" className="btn main-act" onClick={() => setDoing({ what: 'place' })}>
              Place a hold
            </button>
          )}
        </div>
        <div className="list many">
          {answer === undefined ? (
            instead
          ) : inForce.length === 0 ? (
            <Empty title="No hold is in force.">Everything ends when its window is over.</Empty>
          ) : (
            <table>
              <thead>
                <tr>
                  {heads.map((head) => (
                    <th key={head} scope="col">
                      {head === '' ? <span className="vh">Actions</span> : head}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {inForce.map((hold) => (
                  <tr key={hold.id}>
                    <td className="some">
                      <b>{hold.label}</b>
                      <div className="q2">
                        hold {hold.id}, since {momentDay(hold.placed_at)}
                      </div>
                    </td>
                    <td className="some" data-head="Why">
                      {hold.reason}
                    </td>
                    <td className="some" data-head="Answers for it">
                      {hold.owner}
                    </td>
                    <td data-head="Look again by">
                      {calendarDay(hold.review_on)}
                      {hold.is_review_due && (
                        <div className="st bad">
                          <Glyph state="bad" />
                          due
                        </div>
                      )}
                    </td>
                    <td className="acts">
                      {manages && (
                        <>
                          <button type="button" className="btn sm" onClick={() => setDoing({ what: 'review', hold })}>
                            Keep<span className="vh"> the hold on {hold.label}</span>
                          </button>{' '}
                          <button
                            type="button"
                            className="btn sm quiet"
                            onClick={() => setDoing({ what: 'release', hold })}
                          >
                            Release<span className="vh"> the hold on {hold.label}</span>
                          </button>
                        </>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </div>
      </section>
      {released.length > 0 && (
        <section className="panel wi-lines" aria-labelledby="released">
          <h2 id="released">Released</h2>
          <ul className="wi-released">
            {released.map((hold) => (
              <li key={hold.id}>
                <b>{hold.label}</b> {momentDay(hold.placed_at)} to {momentDay(hold.released_at)}
                <div className="q2">
                  {hold.reason} · Released: {hold.release_reason}
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
      {doing?.what === 'place' && (
        <PlaceForm
          organisation={organisation}
          classes={answer?.classes ?? []}
          onClose={() => setDoing(undefined)}
          onSaved={saved}
        />
      )}
      {doing?.what === 'review' && (
        <ReviewForm organisation={organisation} hold={doing.hold} onClose={() => setDoing(undefined)} onSaved={saved} />
      )}
      {doing?.what === 'release' && (
        <ReleaseForm
          organisation={organisation}
          hold={doing.hold}
          onClose={() => setDoing(undefined)}
          onSaved={saved}
        />
      )}
    </>
  );
}

interface FormProps {
  organisation: Organisation;
  onClose: () => void;
  onSaved: (hold: Hold) => void;
}

const scopes = [
  ['site', 'A site'],
  ['class', 'A class of data'],
  ['person', 'A member'],
  ['everything', 'Everything of the organisation'],
] as const;
const scopeNames = { site: 'Site', class: 'Class', person: 'Member' } as const;
const dayMs = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * dayMs).toISOString().slice(0, 10);

function PlaceForm({ organisation, classes, onClose, onSaved }: FormProps & { classes: HoldsAnswer['classes'] }) {
  const sites = useSession().sites.filter((one) => one.organisation_id === organisation.id);
  const [members, setMembers] = useState<Member[]>([]);
  const { id } = organisation;
  useEffect(() => {
    organisations.members(id).then(setMembers, () => {});
  }, [id]);
  const choices = {
    site: sites.map(({ domain }) => [domain, domain] as const),
    class: classes.map((one) => [one.id, `${one.id} ${one.name}`] as const),
    person: members.map((one) => [String(one.id), one.name === '' ? one.email : one.name] as const),
    everything: [],
  };
  const [scope, setScope] = useState<NewHold['scope']>('site');
  const [of, setOf] = useState(sites[0]?.domain ?? '');
  const [reason, setReason] = useState('');
  const [owner, setOwner] = useState('');
  const [review, setReview] = useState(inDays(90));
  const send = async () =>
    onSaved(
      await windows.place(organisation.id, {
        ...{ scope, reason, owner, review_on: review },
        ...(scope === 'everything' ? {} : { of }),
      }),
    );
  return (
    <FormDialog
      label="Place a hold"
      title="Place a hold"
      lead={<p>It is in force at once, and stands in the audit log.</p>}
      fields={['scope', 'of', 'reason', 'owner', 'review_on']}
      act="Place hold"
      isResting={reason.trim() === '' || owner.trim() === '' || (scope !== 'everything' && of === '')}
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => {
        const set = (change: (value: string) => void) => (event: { target: { value: string } }) => {
          clear();
          change(event.target.value);
        };
        return (
          <>
            <Field label="What stays" error={errorOf('scope')}>
              {(props) => (
                <Select
                  {...props}
                  value={scope}
                  onChange={set((value) => {
                    setScope(value as NewHold['scope']);
                    setOf(choices[value as NewHold['scope']][0]?.[0] ?? '');
                  })}
                >
                  {scopes.map(([value, label]) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            {scope !== 'everything' && (
              <Field label={scopeNames[scope]} error={errorOf('of')}>
                {(props) => (
                  <Select {...props} value={of} onChange={set(setOf)}>
                    {choices[scope].map(([value, label]) => (
                      <option key={value} value={value}>
                        {label}
                      </option>
                    ))}
                  </Select>
                )}
              </Field>
            )}
            <Field label="Why" help="A case number is enough; names are not needed." error={errorOf('reason')}>
              {(props) => <input {...props} className="in" maxLength={500} value={reason} onChange={set(setReason)} />}
            </Field>
            <Field label="Who answers for it" error={errorOf('owner')}>
              {(props) => <input {...props} className="in" maxLength={120} value={owner} onChange={set(setOwner)} />}
            </Field>
            <ReviewDay value={review} error={errorOf('review_on')} onChange={set(setReview)} />
          </>
        );
      }}
    </FormDialog>
  );
}

function ReviewDay({
  value,
  error,
  onChange,
}: {
  value: string;
  error: string | undefined;
  onChange: (event: { target: { value: string } }) => void;
}) {
  return (
    <Field label="Look again by" help="At most 90 days ahead." error={error}>
      {(props) => (
        <input
          {...props}
          className="in"
          type="date"
          min={inDays(1)}
          max={inDays(90)}
          value={value}
          onChange={onChange}
        />
      )}
    </Field>
  );
}

function ReviewForm({ organisation, hold, onClose, onSaved }: FormProps & { hold: Hold }) {
  const [review, setReview] = useState(inDays(90));
  return (
    <FormDialog
      label="Keep a hold"
      title={`Keep the hold on ${hold.label}?`}
      fields={['review_on']}
      act="Keep hold"
      onSend={async () => onSaved(await windows.review(organisation.id, hold.id, { review_on: review }))}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <ReviewDay
          value={review}
          error={errorOf('review_on')}
          onChange={(event) => {
            clear();
            setReview(event.target.value);
          }}
        />
      )}
    </FormDialog>
  );
}

function ReleaseForm({ organisation, hold, onClose, onSaved }: FormProps & { hold: Hold }) {
  const [reason, setReason] = useState('');
  return (
    <FormDialog
      label="Release a hold"
      title={`Release the hold on ${hold.label}?`}
      lead={<p>What it kept beyond its window goes with the next nightly run. That cannot be undone.</p>}
      fields={['reason']}
      act="Release hold"
      keep="Keep it"
      isDangerous
      isResting={reason.trim() === ''}
      onSend={async () => onSaved(await windows.release(organisation.id, hold.id, { reason }))}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <Field label="Why" error={errorOf('reason')}>
          {(props) => (
            <input
              {...props}
              className="in"
              maxLength={500}
              value={reason}
              onChange={(event) => {
                clear();
                setReason(event.target.value);
              }}
            />
          )}
        </Field>
      )}
    </FormDialog>
  );
}

import type { FormEvent } from 'react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { languages, plainLanguage } from '../../../contract/languages.ts';
import { navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { ComingForm } from '../controls/coming.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Field, FormError, Select } from '../controls/field.tsx';
import { FormDialog, NameField } from '../controls/form_dialog.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import { TypedForm } from '../controls/typed.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { may, useDesk, useSession } from '../desk/session.tsx';
import { readerDay, readerNames, readerToday } from '../edge/reader.ts';
import { Failed } from '../overview/states.tsx';
import { dayText } from '../period/words.ts';
import { CurrencyField, TimezoneField } from '../sites/fields.tsx';
import { Archives } from './archives.tsx';
import './organisation.css';
import { SecondFactorRule } from './second_factor_rule.tsx';
import { Transfers } from './transfers.tsx';
import type { Member, OrganisationDetails } from './wire.ts';
import { organisations } from './wire.ts';

const logoBytesMax = 256 * 1024;

/** What is this organisation called, where is it found, what do its new sites begin with, and how does it end? */
export function OrganisationGeneral({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { person } = useSession();
  const [details, setDetails] = useState<OrganisationDetails>();
  const [problem, setProblem] = useState<DeskError>();
  const load = useCallback(() => {
    setProblem(undefined);
    organisations.read(id).then(setDetails, (error) => setProblem(asDeskError(error)));
  }, [id]);
  useEffect(load, [load]);
  if (problem !== undefined)
    return (
      <div className="list">
        <Failed {...problem} reference={problem.reference} onRetry={load} what="The organisation could not be read." />
      </div>
    );
  if (details === undefined) return <ComingForm what="the organisation" fields={5} />;
  const today = readerToday();
  return (
    <>
      <StatusNote details={details} organisation={organisation} today={today} onChanged={load} />
      {details.ownership_offer !== null && (
        <OfferNote details={details} isMine={details.ownership_offer.to.id === person.id} today={today} onDone={load} />
      )}
      {may(organisation, 'organisation.manage') && (
        <Settings key={details.slug} organisation={organisation} details={details} onSaved={setDetails} />
      )}
      {may(organisation, 'organisation.manage') && <SecondFactorRule organisation={organisation} />}
      <Ends organisation={organisation} details={details} onChanged={load} />
    </>
  );
}

function StatusNote({
  details,
  organisation,
  today,
  onChanged,
}: {
  details: OrganisationDetails;
  organisation: Organisation;
  today: string;
  onChanged: () => void;
}) {
  const { enter } = useDesk();
  const [refusal, setRefusal] = useState<DeskError>();
  const reopen = async () => {
    try {
      await organisations.reopen(details.id);
      onChanged();
      await enter();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  if (details.status !== 'closing' || details.status_until === null) return null;
  return (
    <p className="note warn" role="status">
      <Glyph state="idle" />
      <span>
        <b>
          {details.name} will be closed on {dayText(readerDay(details.status_until), today)}.
        </b>{' '}
        Until then everything works. Afterwards nothing of it is reachable: make an archive before that day.{' '}
        {may(organisation, 'organisation.own') && (
          <button type="button" className="link" onClick={() => void reopen()}>
            Keep it open
          </button>
        )}{' '}
        {refusal?.message}
      </span>
    </p>
  );
}

function OfferNote({
  details,
  isMine,
  today,
  onDone,
}: {
  details: OrganisationDetails;
  isMine: boolean;
  today: string;
  onDone: () => void;
}) {
  const { enter } = useDesk();
  const [refusal, setRefusal] = useState<DeskError>();
  const offer = details.ownership_offer;
  if (offer === null) return null;
  const called = (one: { name: string; email: string }) => (one.name === '' ? one.email : one.name);
  const act = async (work: () => Promise<unknown>) => {
    try {
      await work();
      await enter();
      onDone();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <div className="note" role="status">
      <div>
        <p>
          {isMine
            ? `${called(offer.by)} offers you ${details.name}. If you accept, you are its owner and ${called(offer.by)} becomes an admin.`
            : `${called(offer.by)} offers ${details.name} to ${called(offer.to)}.`}{' '}
          The offer ends on {dayText(readerDay(offer.expires_at), today)}.
        </p>
        <FormError message={refusal?.message} reference={refusal?.reference} />
        <div className="go">
          {isMine && (
            <button
              type="button"
              className="btn main-act"
              onClick={() => void act(() => organisations.acceptOffer(details.id))}
            >
              Become the owner
            </button>
          )}{' '}
          <button
            type="button"
            className="btn quiet"
            onClick={() => void act(() => organisations.endOffer(details.id))}
          >
            {isMine ? 'Decline' : 'Take it back'}
          </button>
        </div>
      </div>
    </div>
  );
}

function Settings({
  organisation,
  details,
  onSaved,
}: {
  organisation: Organisation;
  details: OrganisationDetails;
  onSaved: (details: OrganisationDetails) => void;
}) {
  const { enter } = useDesk();
  const [draft, setDraft] = useState({
    name: details.name,
    slug: details.slug,
    timezone: details.timezone,
    currency: details.currency,
    language: details.language,
  });
  const [refusal, setRefusal] = useState<DeskError>();
  const [state, setState] = useState<'idle' | 'saving' | 'saved'>('idle');
  const changes = Object.fromEntries(
    Object.entries(draft).filter(([name, value]) => details[name as keyof typeof draft] !== value),
  );
  const changed = Object.keys(changes).length > 0;
  const errorOf = (field: string) => (refusal?.field === field ? refusal.message : undefined);
  const set = (part: Partial<typeof draft>) => {
    setDraft({ ...draft, ...part });
    setState('idle');
    setRefusal(undefined);
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (!changed) return;
    setState('saving');
    try {
      const after = await organisations.change(organisation.id, changes);
      await enter();
      onSaved(after);
      setState('saved');
      if (after.slug !== organisation.slug)
        navigate(pathOf({ page: 'organisation', organisation: after.slug, section: 'organisation' }), {
          replace: true,
        });
    } catch (error) {
      setState('idle');
      setRefusal(asDeskError(error, 'The changes were not saved. Try again.'));
    }
  };
  return (
    <form className="settings" onSubmit={save} noValidate>
      <section>
        <h2>Name and address</h2>
        <div className="form">
          <Field label="Name" error={errorOf('name')}>
            {(props) => (
              <input
                {...props}
                className="in"
                maxLength={120}
                value={draft.name}
                onChange={(event) => set({ name: event.target.value })}
              />
            )}
          </Field>
          <Field
            label="Address"
            error={errorOf('slug')}
            help={
              draft.slug === details.slug
                ? `Its pages are under /o/${details.slug}.`
                : `/o/${details.slug} leads to /o/${draft.slug} from then on.`
            }
          >
            {(props) => (
              <input
                {...props}
                className="in"
                maxLength={64}
                autoCapitalize="off"
                spellCheck={false}
                value={draft.slug}
                onChange={(event) => set({ slug: event.target.value })}
              />
            )}
          </Field>
          <Logo details={details} />
        </div>
      </section>
      <section>
        <h2>New sites begin with</h2>
        <div className="form">
          <div className="pair">
            <TimezoneField
              value={draft.timezone}
              error={errorOf('timezone')}
              onChange={(timezone) => set({ timezone })}
            />
            <CurrencyField
              value={draft.currency}
              error={errorOf('currency')}
              onChange={(currency) => set({ currency })}
            />
          </div>
        </div>
      </section>
      <section>
        <h2>New members begin with</h2>
        <div className="form">
          <Field
            label="Numbers and dates"
            help="Each changes it for themselves under Account, Profile."
            error={errorOf('language')}
          >
            {(props) => (
              <Select {...props} value={draft.language} onChange={(event) => set({ language: event.target.value })}>
                <option value={plainLanguage}>As each browser has it</option>
                {languages.map((one) => (
                  <option key={one} value={one}>
                    {readerNames('language').of(one)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(!changed || state === 'saving')}>
            {state === 'saving' ? 'Saving…' : 'Save settings'}
          </button>
          <span role="status">
            {state === 'saved' && (
              <span className="st ok">
                <Glyph state="ok" />
                Saved.
              </span>
            )}
          </span>
        </div>
        {refusal !== undefined && refusal.field === undefined && (
          <FormError message={refusal.message} reference={refusal.reference} />
        )}
      </section>
    </form>
  );
}

function Logo({ details }: { details: OrganisationDetails }) {
  const { enter } = useDesk();
  const [logo, setLogo] = useState(details.logo);
  const [problem, setProblem] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    if (file.size > logoBytesMax)
      return setProblem('This picture is larger than 256 KB. A smaller one does: it is shown at 48 pixels.');
    try {
      setLogo((await organisations.setLogo(details.id, file)).logo);
      setProblem(undefined);
      await enter();
    } catch (error) {
      setProblem(asDeskError(error).message);
    }
  };
  const remove = async () => {
    try {
      await organisations.removeLogo(details.id);
      setLogo(null);
      setProblem(undefined);
      await enter();
    } catch (error) {
      setProblem(asDeskError(error).message);
    }
  };
  return (
    <Field label="Logo" error={problem} help="PNG, JPEG or WebP, at most 256 KB and 2,048 pixels a side.">
      {(props) => (
        <div className="logo-row">
          {logo !== null && <img src={organisations.logoAddress(details.id, logo)} alt="The present logo" />}
          <input
            {...props}
            ref={input}
            type="file"
            accept="image/png,image/jpeg,image/webp"
            onChange={(event) => void take(event.target.files?.[0])}
          />
          {logo !== null && (
            <button type="button" className="btn sm quiet" onClick={() => void remove()}>
              Remove
            </button>
          )}
        </div>
      )}
    </Field>
  );
}

type Ending = 'leave' | 'close' | 'hand' | 'another';

/** Leaving, handing on, closing; and making another one, which is where people look for it. */
function Ends({
  organisation,
  details,
  onChanged,
}: {
  organisation: Organisation;
  details: OrganisationDetails;
  onChanged: () => void;
}) {
  const { organisations: all, person } = useSession();
  const [open, setOpen] = useState<Ending>();
  const owns = may(organisation, 'organisation.own');
  const makes = person.is_operator || all.some((one) => may(one, 'organisation.own'));
  const close = () => setOpen(undefined);
  return (
    <div className="settings">
      <section>
        <h2>{owns ? 'Hand on, leave, close' : 'Leave'}</h2>
        <p>
          {owns
            ? 'An organisation always has an owner: the last one hands it on before leaving.'
            : `Your account stays when you leave ${details.name}; its sites are gone from it.`}
        </p>
        <div className="go">
          {owns && details.status === 'active' && (
            <button type="button" className="btn" onClick={() => setOpen('hand')}>
              Hand on…
            </button>
          )}{' '}
          <button type="button" className="btn" onClick={() => setOpen('leave')}>
            Leave…
          </button>{' '}
          {owns && details.status === 'active' && (
            <button type="button" className="btn danger" onClick={() => setOpen('close')}>
              Close…
            </button>
          )}
        </div>
      </section>
      {may(organisation, 'audit.read') && <Transfers organisation={organisation} />}
      {may(organisation, 'organisation.take') && (
        <section>
          <h2>Take everything along</h2>
          <Archives organisation={details.id} name={details.name} />
        </section>
      )}
      {makes && (
        <section>
          <h2>Another organisation</h2>
          <p>People, sites, keys and roles are apart from those of {details.name}. You own it.</p>
          <div className="go">
            <button type="button" className="btn" onClick={() => setOpen('another')}>
              New organisation…
            </button>
          </div>
        </section>
      )}
      {open === 'leave' && <LeaveDialog details={details} onClose={close} />}
      {open === 'close' && <CloseDialog details={details} onClose={close} onChanged={onChanged} />}
      {open === 'hand' && <HandOnDialog details={details} onClose={close} onChanged={onChanged} />}
      {open === 'another' && <AnotherDialog details={details} onClose={close} />}
    </div>
  );
}

function LeaveDialog({ details, onClose }: { details: OrganisationDetails; onClose: () => void }) {
  const { enter } = useDesk();
  const [refusal, setRefusal] = useState<DeskError>();
  const leave = async () => {
    try {
      await organisations.leave(details.id, details.slug);
      navigate('/', { replace: true });
      await enter();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <Dialog label="Leave" className="small" onClose={onClose}>
      <h2>Leave {details.name}?</h2>
      <p>You see nothing of it from now on. Only a new invitation brings you back.</p>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <div className="editor-foot">
        <button type="button" className="btn danger" onClick={() => void leave()}>
          Leave
        </button>
        <button type="button" className="btn quiet" onClick={onClose}>
          Stay
        </button>
      </div>
    </Dialog>
  );
}

function CloseDialog({
  details,
  onClose,
  onChanged,
}: {
  details: OrganisationDetails;
  onClose: () => void;
  onChanged: () => void;
}) {
  const { enter } = useDesk();
  return (
    <Dialog label="Close the organisation" className="small" onClose={onClose}>
      <h2>Close {details.name}?</h2>
      <p>
        For 30 days everything works and an owner can take it back. On that day all of it is removed, and no restore
        brings it back: sites with their events, numbers, members, keys, registers.
      </p>
      <h3>Take everything along first</h3>
      <Archives organisation={details.id} name={details.name} />
      <TypedForm
        wanted={details.slug}
        field="slug"
        act="Close in 30 days"
        keep="Keep it open"
        onClose={onClose}
        onTyped={async (slug) => {
          await organisations.close(details.id, slug);
          onClose();
          onChanged();
          await enter();
        }}
      />
    </Dialog>
  );
}

function HandOnDialog({
  details,
  onClose,
  onChanged,
}: {
  details: OrganisationDetails;
  onClose: () => void;
  onChanged: () => void;
}) {
  const [members, setMembers] = useState<Member[]>();
  const [to, setTo] = useState<number>();
  const [problem, setProblem] = useState<DeskError>();
  useEffect(() => {
    organisations.members(details.id).then(
      (all) => {
        const others = all.filter((one) => one.role !== 'owner');
        setMembers(others);
        setTo(others[0]?.id);
      },
      (error) => setProblem(asDeskError(error)),
    );
  }, [details.id]);
  const offer = async () => {
    if (to === undefined) return;
    await organisations.offerOwnership(details.id, to);
    onClose();
    onChanged();
  };
  return (
    <FormDialog
      label="Hand the organisation on"
      title={`Hand ${details.name} on`}
      lead="They have seven days to accept. Then they are the owner and you are an admin."
      fields={[]}
      act="Offer the ownership"
      acting="Offering…"
      isResting={to === undefined}
      onSend={offer}
      onClose={onClose}
    >
      {() => (
        <>
          {members !== undefined && members.length === 0 ? (
            <p>There is nobody else here. Invite them first, under Members.</p>
          ) : (
            <Field label="To">
              {(props) => (
                <Select {...props} value={to ?? ''} onChange={(event) => setTo(Number(event.target.value))}>
                  {(members ?? []).map((one) => (
                    <option key={one.id} value={one.id}>
                      {one.name === '' ? one.email : `${one.name} (${one.email})`}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          )}
          <FormError message={problem?.message} reference={problem?.reference} />
        </>
      )}
    </FormDialog>
  );
}

function AnotherDialog({ details, onClose }: { details: OrganisationDetails; onClose: () => void }) {
  const { enter } = useDesk();
  const [name, setName] = useState('');
  const make = async () => {
    const made = await organisations.make({
      name: name.trim(),
      timezone: details.timezone,
      currency: details.currency,
    });
    await enter();
    onClose();
    navigate(pathOf({ page: 'organisation', organisation: made.slug, section: 'organisation' }));
  };
  return (
    <FormDialog
      label="New organisation"
      title="New organisation"
      fields={['name']}
      act="Make the organisation"
      acting="Making it…"
      isResting={name.trim() === ''}
      onSend={make}
      onClose={onClose}
    >
      {(errorOf) => <NameField value={name} maxLength={120} error={errorOf('name')} onChange={setName} />}
    </FormDialog>
  );
}

import type { FormEvent, ReactNode } from 'react';
import { useCallback, useEffect, useState } from 'react';
import { collectedKinds } from '../../../contract/site_kinds.ts';
import { navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { ComingForm } from '../controls/coming.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Field, FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import { TypedForm } from '../controls/typed.tsx';
import type { DeskError, Site } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { may, useDesk, useSession } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { Failed } from '../overview/states.tsx';
import { localTime } from '../period/period.ts';
import { dayText } from '../period/words.ts';
import { Contents } from './contents.tsx';
import './life.css';
import type { SiteContent, SiteLife, SiteRemoval } from './life_wire.ts';
import { siteLives } from './life_wire.ts';

/** So often a removal at work is looked at. */
const lookMs = 2_000;
const waits = {
  warehouse: 'It waits for the database of events.',
  spool: 'It waits until what has arrived is stored.',
  import: 'It waits for an import to end.',
} as const;

/** What becomes of the site as a whole: another domain, another organisation, emptied, deleted; each with how much it is about. */
export function SiteLifeSettings({ site }: { site: Site }) {
  const organisation = useSession().organisations.find(({ id }) => id === site.organisation_id);
  const { enter } = useDesk();
  const [life, setLife] = useState<SiteLife>();
  const [contents, setContents] = useState<SiteContent[]>();
  const [problem, setProblem] = useState<DeskError>();
  const [asking, setAsking] = useState<'emptying' | 'deletion'>();
  const { domain } = site;
  const load = useCallback(() => {
    setProblem(undefined);
    Promise.all([siteLives.read(domain), siteLives.contents(domain)]).then(
      ([read, counted]) => {
        setLife(read);
        setContents(counted);
      },
      (error: unknown) => setProblem(asDeskError(error)),
    );
  }, [domain]);
  useEffect(load, [load]);

  const removal = life?.removal ?? null;
  const isAtWork = isWorking(removal);
  // While it works only the steps are read; how much is left takes a look into every table, and is counted at the end.
  const look = useCallback(() => {
    siteLives.read(domain).then(
      (read) => {
        if (!isWorking(read.removal)) return load();
        setProblem(undefined);
        setLife(read);
      },
      (error: unknown) => setProblem(asDeskError(error)),
    );
  }, [domain, load]);
  useEffect(() => {
    if (!isAtWork) return undefined;
    const timer = setInterval(look, lookMs);
    return () => clearInterval(timer);
  }, [isAtWork, look]);

  if (problem !== undefined)
    return (
      <div className="list">
        <Failed
          code={problem.code}
          message={problem.message}
          reference={problem.reference}
          onRetry={load}
          what="What becomes of this site could not be read."
        />
      </div>
    );
  if (life === undefined || contents === undefined || organisation === undefined)
    return <ComingForm what="what becomes of this site" />;
  const isBusy = removal !== null && (isAtWork || (removal.kind === 'deletion' && removal.state === 'waiting'));
  const today = localTime(now(), site.timezone).day;
  return (
    <div className="settings">
      <RemovalNote
        removal={removal}
        zone={site.timezone}
        today={today}
        onKeep={
          may(organisation, 'organisation.manage')
            ? async () => {
                await siteLives.keep(domain);
                load();
                void enter();
              }
            : undefined
        }
      />
      {isBusy ? (
        // Nothing else can become of it meanwhile: what is left is what goes.
        <section>
          <h2>What goes</h2>
          <div className="form">
            <Contents
              contents={contents}
              today={today}
              {...(removal.kind === 'emptying' ? { kinds: collectedKinds } : {})}
            />
          </div>
        </section>
      ) : (
        <Rename site={site} life={life} onChanged={load} />
      )}
      {may(organisation, 'organisation.own') && (!isBusy || life.move !== null) && (
        <Move key={life.move?.id ?? 0} site={site} life={life} today={today} onChanged={load} />
      )}
      {may(organisation, 'organisation.manage') && !isBusy && (
        <section>
          <h2>Empty or delete</h2>
          <p>
            Emptying removes what was collected and keeps the settings. Deleting removes both, after seven days in which
            it can be taken back. This is what there is:
          </p>
          <div className="form">
            <Contents contents={contents} today={today} />
            <div className="go">
              <button type="button" className="btn" onClick={() => setAsking('emptying')}>
                Empty…
              </button>
              <button type="button" className="btn danger" onClick={() => setAsking('deletion')}>
                Delete…
              </button>
            </div>
          </div>
        </section>
      )}
      {asking !== undefined && (
        <RemoveDialog
          site={site}
          kind={asking}
          contents={contents}
          today={today}
          onClose={() => setAsking(undefined)}
          onAsked={() => {
            setAsking(undefined);
            load();
            void enter();
          }}
        />
      )}
    </div>
  );
}

/** Is it at work, or about to begin? A deletion waits for its day; an emptying is due at once. */
const isWorking = (removal: SiteRemoval | null) =>
  removal !== null &&
  (removal.state === 'running' || (removal.state === 'waiting' && Date.parse(removal.due_at) <= now()));

const dayIn = (moment: string, zone: string) => localTime(Date.parse(moment), zone).day;

function RemovalNote({
  removal,
  zone,
  today,
  onKeep,
}: {
  removal: SiteRemoval | null;
  zone: string;
  today: string;
  onKeep: (() => Promise<void>) | undefined;
}) {
  const [refusal, setRefusal] = useState<DeskError>();
  if (removal === null || removal.state === 'taken_back') return null;
  const isDeletion = removal.kind === 'deletion';
  if (removal.state === 'done')
    return (
      <Note state="ok">
        <b>Emptied{removal.finished_at === null ? '' : ` on ${dayText(dayIn(removal.finished_at, zone), today)}`}.</b> A
        second reading of every table and file found {removal.rows_left ?? 0} rows left. What arrived since is kept.
      </Note>
    );
  if (removal.state === 'waiting' && isDeletion)
    return (
      <>
        <Note state="idle">
          <b>
            {removal.domain} will be deleted on {dayText(dayIn(removal.due_at, zone), today)}.
          </b>{' '}
          It collects nothing any more. Until then its numbers can be looked at and exported
          {onKeep === undefined ? '.' : ', and it can be kept: then it collects again.'}
        </Note>
        {onKeep !== undefined && (
          <div className="keep">
            <button
              type="button"
              className="btn main-act"
              onClick={() => void onKeep().catch((error: unknown) => setRefusal(asDeskError(error)))}
            >
              Keep the site
            </button>
          </div>
        )}
        <FormError message={refusal?.message} reference={refusal?.reference} />
      </>
    );
  return (
    <Note state="idle">
      <b>{isDeletion ? 'This site is being deleted' : 'This site is being emptied'}:</b> step {removal.steps_done} of{' '}
      {removal.steps}. {removal.waits_for === null ? 'It goes on if you leave.' : waits[removal.waits_for]}
    </Note>
  );
}

function Note({ state, children }: { state: 'ok' | 'idle'; children: ReactNode }) {
  return (
    <p className={state === 'ok' ? 'note' : 'note warn'} role="status">
      <Glyph state={state} />
      <span>{children}</span>
    </p>
  );
}

function Rename({ site, life, onChanged }: { site: Site; life: SiteLife; onChanged: () => void }) {
  const { enter } = useDesk();
  const [typed, setTyped] = useState(site.domain);
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const [letting, setLetting] = useState<string>();
  const wanted = typed.trim();
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (wanted === site.domain) return;
    setSending(true);
    setRefusal(undefined);
    try {
      const after = await siteLives.rename(site.domain, wanted);
      await enter();
      navigate(pathOf({ page: 'settings', site: after.domain, section: 'life' }), { replace: true });
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setSending(false);
    }
  };
  return (
    <section>
      <h2>Rename</h2>
      <p>
        After a rename, trackers and calls that still name the old domain are counted here until you let it go. No page
        has to be changed at once.
      </p>
      <form className="form" onSubmit={save} noValidate>
        <Field label="Domain" error={refusal?.field === 'domain' ? refusal.message : undefined}>
          {(props) => (
            <input
              {...props}
              className="in"
              autoCapitalize="off"
              spellCheck={false}
              maxLength={253}
              value={typed}
              onChange={(event) => {
                setTyped(event.target.value);
                setRefusal(undefined);
              }}
            />
          )}
        </Field>
        {refusal !== undefined && refusal.field !== 'domain' && (
          <FormError message={refusal.message} reference={refusal.reference} />
        )}
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(wanted === site.domain || sending)}>
            {sending ? 'Renaming…' : 'Rename the site'}
          </button>
        </div>
        {life.former_domains.map(({ domain }) => (
          <div key={domain} className="former">
            <span className="former-name">
              <b>{domain}</b> <span className="q">is counted for this site</span>
            </span>
            <button type="button" className="btn sm quiet" onClick={() => setLetting(domain)}>
              Let it go<span className="vh">: {domain}</span>
            </button>
          </div>
        ))}
      </form>
      {letting !== undefined && (
        <Dialog label="Let a former domain go" className="small" onClose={() => setLetting(undefined)}>
          <h2>Let {letting} go?</h2>
          <p>
            What still names it is counted nowhere from now on, and any organisation can add it as a site. Change the
            snippets that name it first.
          </p>
          <div className="editor-foot">
            <button
              type="button"
              className="btn danger"
              onClick={() =>
                void siteLives
                  .letGo(site.domain, letting)
                  .then(onChanged, (error: unknown) => setRefusal(asDeskError(error)))
                  .finally(() => setLetting(undefined))
              }
            >
              Let it go
            </button>
            <button type="button" className="btn quiet" onClick={() => setLetting(undefined)}>
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

function Move({ site, life, today, onChanged }: { site: Site; life: SiteLife; today: string; onChanged: () => void }) {
  const [to, setTo] = useState('');
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const { move } = life;
  const act = async (work: () => Promise<unknown>) => {
    setSending(true);
    setRefusal(undefined);
    try {
      await work();
      onChanged();
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setSending(false);
    }
  };
  return (
    <section>
      <h2>Another organisation</h2>
      <p>
        History, goals, shields, annotations and imports go along. Shares, reports by mail, exports, places in teams and
        keys limited to this site end. Nothing moves before an owner there accepts.
      </p>
      {move === null ? (
        <form
          className="form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (to.trim() !== '') void act(() => siteLives.offer(site.domain, to.trim()));
          }}
        >
          <Field
            label="Offer it to"
            error={refusal?.field === 'to' ? refusal.message : undefined}
            help="The organisation's name in addresses (what follows /o/), or the e-mail address of one of its owners."
          >
            {(props) => (
              <input
                {...props}
                className="in"
                autoCapitalize="off"
                spellCheck={false}
                maxLength={254}
                value={to}
                onChange={(event) => {
                  setTo(event.target.value);
                  setRefusal(undefined);
                }}
              />
            )}
          </Field>
          {refusal !== undefined && refusal.field !== 'to' && (
            <FormError message={refusal.message} reference={refusal.reference} />
          )}
          <div className="go">
            <button type="submit" className="btn" {...resting(to.trim() === '' || sending)}>
              Offer for seven days
            </button>
          </div>
        </form>
      ) : (
        <div className="form">
          <p>
            Offered{move.to === null ? '' : ` to ${move.to}`} until{' '}
            {dayText(dayIn(move.expires_at, site.timezone), today)}.
          </p>
          <FormError message={refusal?.message} reference={refusal?.reference} />
          <div className="go">
            <button
              type="button"
              className="btn"
              {...resting(sending)}
              onClick={() => void act(() => siteLives.withdraw(site.domain, move.id))}
            >
              Take the offer back
            </button>
          </div>
        </div>
      )}
    </section>
  );
}

function RemoveDialog({
  site,
  kind,
  contents,
  today,
  onClose,
  onAsked,
}: {
  site: Site;
  kind: 'emptying' | 'deletion';
  contents: readonly SiteContent[];
  today: string;
  onClose: () => void;
  onAsked: () => void;
}) {
  const isDeletion = kind === 'deletion';
  return (
    <Dialog label={isDeletion ? 'Delete the site' : 'Empty the site'} className="small" onClose={onClose}>
      <h2>
        {isDeletion ? 'Delete' : 'Empty'} {site.domain}?
      </h2>
      <p>
        {isDeletion
          ? 'It collects nothing from now on. For seven days this can be taken back; then all of this is gone:'
          : 'This cannot be taken back. What arrives from now on is kept; all of this is gone:'}
      </p>
      <Contents contents={contents} today={today} {...(isDeletion ? {} : { kinds: collectedKinds })} />
      <TypedForm
        wanted={site.domain}
        field="domain"
        act={isDeletion ? 'Delete in seven days' : 'Empty the site now'}
        keep={isDeletion ? 'Keep the site' : 'Keep everything'}
        onClose={onClose}
        onTyped={async (domain) => {
          await (isDeletion ? siteLives.remove(domain) : siteLives.empty(domain));
          onAsked();
        }}
      />
    </Dialog>
  );
}

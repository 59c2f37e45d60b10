import { useCallback, useState } from 'react';
import type { RelayCapture, RelaySource, RelaySourceContents } from '../../../contract/relay_settings.ts';
import { Link, navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { AskFirst } from '../controls/ask_first.tsx';
import { ComingForm } from '../controls/coming.tsx';
import { CopyButton } from '../controls/copy.tsx';
import { Fact } from '../controls/fact.tsx';
import { FormError } from '../controls/field.tsx';
import { Icon } from '../controls/icons.tsx';
import type { DeskError, Site } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import type { Organisation } from '../desk/session.tsx';
import { zonedText } from '../edge/reader.ts';
import { counted, exactCount } from '../numbers/format.ts';
import { type MadeSource, relayOf } from './api.ts';
import { BackTo, Instead, RelayFrame } from './frame.tsx';
import { MadeAddress, SaidOnce } from './made.tsx';
import { Routes } from './routes.tsx';
import { SourceForm } from './source_form.tsx';
import { StateWord } from './state.tsx';
import { SourceUploads } from './uploads/uploads.tsx';
import { useFirstRequest } from './use_first_request.ts';
import { momentText, schemeWords, sourceKindWords, whenText } from './words.ts';

/** One source: how it stands, who may send, what comes of it, and where it goes. */
export function SourcePage({ site, id }: { site: Site; id: number }) {
  return (
    <RelayFrame site={site} title="Source">
      {(organisation, mayChange) => <OneSource site={site} id={id} organisation={organisation} mayChange={mayChange} />}
    </RelayFrame>
  );
}

interface Parts {
  site: Site;
  organisation: Organisation;
  mayChange: boolean;
}

function OneSource({ site, id, organisation, mayChange }: Parts & { id: number }) {
  const relay = relayOf(organisation.id);
  const { answer, problem, reload, set } = useReading(
    useCallback(async () => {
      const calls = relayOf(organisation.id);
      const [source, { presets }, { captures }] = await Promise.all([
        calls.source(id),
        calls.sources(),
        calls.captures(id),
      ]);
      return { source, captures, preset: presets.find((one) => one.id === source.preset) };
    }, [organisation.id, id]),
  );
  const [made, setMade] = useState<MadeSource>();
  const [secret, setSecret] = useState<string>();
  const [asked, setAsked] = useState<'address' | 'secret' | RelaySourceContents>();
  const [refusal, setRefusal] = useState<DeskError>();
  const all = pathOf({ page: 'relay-sources', site: site.domain });
  const isWaiting = answer?.source.kind === 'http' && answer.source.last_request_at === null;
  useFirstRequest(organisation.id, id, isWaiting, reload);
  if (problem !== undefined)
    return <Instead problem={problem} what="source" all={{ href: all, label: 'All sources' }} onRetry={reload} />;
  if (answer === undefined)
    return (
      <section className="panel" aria-label="Source">
        <ComingForm what="the source" fields={5} />
      </section>
    );
  const { source, captures, preset } = answer;
  const keep = (next: RelaySource) => set({ ...answer, source: next });
  const mapping = pathOf({ page: 'relay-mapping', site: site.domain, source: id });
  const act = async (work: () => Promise<unknown>) => {
    setRefusal(undefined);
    try {
      await work();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  // Of goals nothing is sent to an address, and nothing mapped.
  const isGoals = source.kind === 'goals';
  return (
    <>
      <BackTo href={all}>Sources</BackTo>
      <header className="rl-head">
        <div>
          <h2 dir="auto">{source.name}</h2>
          <p className="q2">{outcomeOf(source)}</p>
        </div>
        <div className="rl-acts">
          {/* Columns of files are mapped below, where their first rows are seen. */}
          {(source.kind === 'http' || (source.kind === 'upload' && source.mapping_version > 0)) && (
            <Link className={`btn ${source.mapping_version === 0 ? 'main-act' : ''}`} href={mapping}>
              {source.mapping_version === 0 ? 'Map its requests' : 'Open the mapping'}
            </Link>
          )}
          {mayChange && (
            <button
              type="button"
              className="btn"
              onClick={() =>
                act(async () =>
                  keep(await relay.changeSource(id, { state: source.state === 'active' ? 'paused' : 'active' })),
                )
              }
            >
              <Icon name={source.state === 'active' ? 'pause' : 'play'} />
              {source.state === 'active' ? 'Pause' : 'Resume'}
            </button>
          )}
        </div>
      </header>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      {made !== undefined && <MadeAddress made={made} preset={preset} onHide={() => setMade(undefined)} />}
      {secret !== undefined && (
        <SaidOnce label="The new secret">
          <h2>The new signing secret</h2>
          <p className="q2">It is shown now and never again. The one before is taken for 24 hours more.</p>
          <div className="secret">
            <code>{secret}</code>
            <CopyButton text={secret} label="Copy the secret" />
          </div>
          <button type="button" className="btn quiet sm" onClick={() => setSecret(undefined)}>
            I have copied it
          </button>
        </SaidOnce>
      )}
      <dl className="rl-facts panel">
        <Fact name="State">
          <StateWord state={source.state} />
        </Fact>
        <Fact name="Sender">{preset?.label ?? sourceKindWords[source.kind]}</Fact>
        <Fact name="Site">{source.site?.domain ?? <span className="q">none in particular</span>}</Fact>
        {source.kind === 'http' && (
          <>
            <Fact name="Last request">
              {source.last_request_at === null ? (
                <span className="q">none yet</span>
              ) : (
                whenText(source.last_request_at, site.timezone)
              )}
            </Fact>
            <Fact name="Requests today">
              {source.requests_today === null ? (
                <span className="q">not known now</span>
              ) : (
                exactCount(source.requests_today)
              )}
            </Fact>
            <Fact name="Rate limit">
              {source.requests_per_minute === null ? (
                <span className="q">none</span>
              ) : (
                `${exactCount(source.requests_per_minute)} a minute`
              )}
              {(source.rate_refused_today ?? 0) > 0 && (
                <>
                  {', '}
                  <Link
                    className="link"
                    href={`${pathOf({ page: 'relay-requests', site: site.domain })}?source=${source.id}&status=429&reason=rate`}
                  >
                    {exactCount(source.rate_refused_today ?? 0)} refused today
                  </Link>
                </>
              )}
            </Fact>
          </>
        )}
        <Fact name="Conversions today">{exactCount(source.conversions_today)}</Fact>
        {!isGoals && (
          <>
            <Fact name="Mapping">
              {source.mapping_version === 0 ? <span className="q">none yet</span> : `version ${source.mapping_version}`}
            </Fact>
            <Fact name="Unmapped, 7 days">
              {source.unmapped === 0 ? 'none' : <b className="rl-bad">{exactCount(source.unmapped)}</b>}
            </Fact>
          </>
        )}
      </dl>
      {source.kind === 'upload' && (
        <SourceUploads
          {...{ organisation: organisation.id, source: id, mayChange }}
          mappingVersion={source.mapping_version}
          zone={site.timezone}
          onMapped={(version) => keep({ ...source, mapping_version: version })}
        />
      )}
      <Routes {...{ site, organisation, mayChange }} of={{ source_id: source.id }} />
      <div className="rl-columns">
        <section className="panel rl-form" aria-label="Settings">
          <h3>Settings</h3>
          <SourceForm
            key={settingsText(source)}
            source={source}
            organisation={organisation}
            mayChange={mayChange}
            onSaved={keep}
          />
        </section>
        <div className="rl-side">
          <section className="panel rl-form" aria-label="Who may send">
            <h3>Who may send</h3>
            {source.address === null ? (
              <>
                <p className="q2">
                  {isGoals
                    ? 'Nobody: events of the site that reach an event goal become conversions, by the goal’s name. A goal that is added or changed counts from the next event on.'
                    : source.kind === 'http'
                      ? 'Nobody: its address was ended in a review of access.'
                      : 'This source gets no requests, so it has no address.'}
                </p>
                {source.kind === 'http' && mayChange && (
                  <div className="rl-acts">
                    <button
                      type="button"
                      className="btn sm"
                      onClick={() =>
                        act(async () => {
                          const next = await relay.replaceAddress(id);
                          keep(next.source);
                          setMade(next);
                        })
                      }
                    >
                      Give it a new address
                    </button>
                  </div>
                )}
              </>
            ) : (
              <>
                <p className="q2">
                  Whoever knows its secret address
                  {source.signature === null ? '.' : `, and signs ${schemeWords[source.signature.scheme]}.`} The desk
                  keeps a digest of the address and cannot say it again.
                </p>
                {source.address.former_until !== null && (
                  <p className="q2">
                    The address before is taken until {momentText(source.address.former_until, site.timezone)}.
                  </p>
                )}
                {source.signature?.former_until != null && (
                  <p className="q2">
                    The secret before is taken until {momentText(source.signature.former_until, site.timezone)}.
                  </p>
                )}
                {mayChange && (
                  <div className="rl-acts">
                    <button type="button" className="btn sm" onClick={() => setAsked('address')}>
                      Replace the address
                    </button>
                    {source.signature !== null && (
                      <button type="button" className="btn sm" onClick={() => setAsked('secret')}>
                        Replace the secret
                      </button>
                    )}
                  </div>
                )}
              </>
            )}
          </section>
          {source.kind === 'http' && <Kept captures={captures} mapping={mapping} zone={site.timezone} />}
          {mayChange && (
            <section className="panel rl-form" aria-label="Delete">
              <h3>Delete this source</h3>
              <p className="q2">Its mapping, routes and kept requests go with it. Its conversions stay.</p>
              <div className="rl-acts">
                <button
                  type="button"
                  className="btn danger sm"
                  onClick={() => act(async () => setAsked(await relay.contents(id)))}
                >
                  Delete the source
                </button>
              </div>
            </section>
          )}
        </div>
      </div>
      {asked === 'address' && (
        <AskFirst
          title={`Replace the address of ${source.name}?`}
          act="Replace the address"
          onAct={async () => {
            const next = await relay.replaceAddress(id);
            keep(next.source);
            setMade(next);
            setAsked(undefined);
          }}
          onClose={() => setAsked(undefined)}
        >
          The new one is shown once. The one in use is taken for 24 hours more, so that you can change the sender.
        </AskFirst>
      )}
      {asked === 'secret' && (
        <AskFirst
          title={`Replace the signing secret of ${source.name}?`}
          act="Make a new secret"
          onAct={async () => {
            const next = await relay.replaceSecret(id);
            keep(next.source);
            if (next.secret !== null) setSecret(next.secret);
            setAsked(undefined);
          }}
          onClose={() => setAsked(undefined)}
        >
          The desk makes one and shows it once. What is signed with the one before is taken for 24 hours more. Where the
          sender makes its secrets itself, enter its new one under Settings.
        </AskFirst>
      )}
      {typeof asked === 'object' && (
        <AskFirst
          title={`Delete ${source.name}?`}
          act="Delete the source"
          onAct={async () => {
            await relay.deleteSource(id);
            navigate(all);
          }}
          onClose={() => setAsked(undefined)}
        >
          {contentsText(asked)}
        </AskFirst>
      )}
    </>
  );
}

/** What the form holds: its input stays while counters go on, or the source is paused. */
function settingsText(source: RelaySource): string {
  const { state, address, mapping_version, last_request_at, requests_today, rate_refused_today, ...more } = source;
  const { conversions_today, unmapped, routes, ...settings } = more;
  return JSON.stringify(settings);
}

function outcomeOf(source: RelaySource): string {
  if (source.state === 'paused')
    return source.kind === 'goals' ? 'Paused: goals make no conversions now.' : 'Paused: what comes now is refused.';
  if (source.kind === 'upload')
    return source.routes === 0
      ? 'Files are taken here. Their conversions are kept, and go nowhere: it has no active route.'
      : `Files are taken here. Their conversions go ${source.routes === 1 ? 'one way' : `${exactCount(source.routes)} ways`}.`;
  if (source.kind !== 'goals' && source.last_request_at === null)
    return 'Waits for its first request. Send one to its address.';
  if (source.kind !== 'goals' && source.mapping_version === 0)
    return 'Requests came, and nothing says yet how to read them.';
  if (source.unmapped > 0)
    return `Of ${counted(source.unmapped, 'request')} nothing could be made. They are read again with the next mapping.`;
  if (source.routes === 0) return 'Its conversions are kept, and go nowhere: it has no active route.';
  return `Its conversions go ${source.routes === 1 ? 'one way' : `${exactCount(source.routes)} ways`}.`;
}

function contentsText({ mappings, routes, captures, waiting, conversions }: RelaySourceContents): string {
  return [
    `${counted(mappings, 'version')} of its mapping, ${counted(routes, 'route')} and ${counted(captures, 'kept request')} go.`,
    ...(waiting === 0 ? [] : [`${counted(waiting, 'delivery', 'deliveries')} not sent yet will not be sent.`]),
    `${counted(conversions, 'conversion stays', 'conversions stay')}, with what became of them. This cannot be taken back.`,
  ].join(' ');
}

function Kept({ captures, mapping, zone }: { captures: readonly RelayCapture[]; mapping: string; zone: string }) {
  const shown = captures.slice(0, 8);
  return (
    <section className="panel rl-form" aria-label="Kept requests">
      <h3>Kept requests</h3>
      {captures.length === 0 ? (
        <p className="q2">None. The last 50 are kept for seven days, sealed, so that you can map what really comes.</p>
      ) : (
        <>
          <ul className="rl-kept">
            {shown.map(({ id, received_at, is_unmapped }) => (
              <li key={id}>
                <Link className="link" href={`${mapping}?request=${id}`}>
                  {zonedText(received_at, zone, {
                    day: 'numeric',
                    month: 'short',
                    hour: '2-digit',
                    minute: '2-digit',
                    second: '2-digit',
                  })}
                </Link>
                {is_unmapped && <span className="st bad">not mapped</span>}
              </li>
            ))}
          </ul>
          <p className="q">
            {shown.length} of {captures.length}; each opens in the mapping.
          </p>
        </>
      )}
    </section>
  );
}

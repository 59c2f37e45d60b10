import { useCallback, useState } from 'react';
import { FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { takeFocus } from '../controls/take_focus.ts';
import { asDeskError, type DeskError, type Site } from '../desk/api.ts';
import { may, type Organisation, useSession } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { momentDay, momentText } from '../edge/reader.ts';
import { deniedText } from '../organisation/denied.tsx';
import { Empty } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import { useRead } from '../windows/parts.tsx';
import { type Connection, type ConnectionOffer, type ConnectionsAnswer, connectionsApi } from './api.ts';
import { DisconnectDialog, PasteDialog } from './dialogs.tsx';
import { endsSoon, endText, notGranted, stateOf } from './words.ts';
import './connections.css';

const heads = ['Connection', 'State', 'Ends', 'Accounts', ''];

/** Which accounts of ad platforms are connected, and until when? */
export function ConnectionsPage({ site }: { site: Site }) {
  const organisation = useSession().organisations.find(({ id }) => id === site.organisation_id);
  const allowed = organisation !== undefined && may(organisation, 'connection.read');
  return (
    <Shell site={site.domain} title="Connections" skipTo="Skip to the connections">
      <main className="wrap windows cx" id="main" tabIndex={-1}>
        {allowed ? (
          <Connections organisation={organisation} />
        ) : (
          <section className="panel" aria-label="Connections">
            <Empty title={deniedText('connections', organisation)}>
              A connection lets this desk send to an account at an ad platform. Owners, admins and marketers make them.
            </Empty>
          </section>
        )}
      </main>
    </Shell>
  );
}

type Open =
  | { kind: 'paste'; offer: ConnectionOffer; replacing?: Connection }
  | { kind: 'disconnect'; connection: Connection };

function Connections({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { answer, instead, reload } = useRead(
    useCallback(() => connectionsApi.read(id), [id]),
    'the connections',
    heads,
  );
  const [open, setOpen] = useState<Open>();
  const [said, setSaid] = useState<string>();
  const [refusal, setRefusal] = useState<DeskError>();
  if (answer === undefined)
    return (
      <section className="panel list many" aria-label="Connections">
        {instead}
      </section>
    );
  const manages = may(organisation, 'connection.manage');
  const done = (words?: string) => {
    setOpen(undefined);
    setSaid(words);
    reload();
  };
  const leave = async (offer: ConnectionOffer, more: { scopes?: string[]; connection?: number } = {}) => {
    setRefusal(undefined);
    try {
      const { url } = await connectionsApi.authorise(id, { provider: offer.provider as 'google', ...more });
      window.location.assign(url);
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <>
      <p className="cx-answer">{summary(answer)}</p>
      {said !== undefined && (
        <p className="note ok reached" role="status" ref={takeFocus} tabIndex={-1} key={said}>
          <span>{said}</span>
        </p>
      )}
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <section className="panel wi-lines" aria-label="Connections">
        <h2>Connected</h2>
        {answer.connections.length === 0 ? (
          <p className="q2">
            Nothing is connected. A destination with a token of its own needs no connection; others take theirs from
            here.
          </p>
        ) : (
          <Rows answer={answer} manages={manages} onLeave={leave} onOpen={setOpen} />
        )}
      </section>
      {manages && <Offers offers={answer.offers} onLeave={leave} onOpen={setOpen} />}
      {open?.kind === 'paste' && (
        <PasteDialog
          organisation={id}
          offer={open.offer}
          replacing={open.replacing}
          onDone={() => done(`${open.replacing?.label ?? open.offer.label} is connected.`)}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open?.kind === 'disconnect' && (
        <DisconnectDialog
          organisation={id}
          connection={open.connection}
          platform={platformOf(answer, open.connection)}
          onDone={done}
          onClose={() => setOpen(undefined)}
        />
      )}
    </>
  );
}

type Leave = (offer: ConnectionOffer, more?: { scopes?: string[]; connection?: number }) => Promise<void>;

const offerOf = ({ offers }: ConnectionsAnswer, { provider }: Connection) =>
  offers.find((one) => one.provider === provider);
const platformOf = (answer: ConnectionsAnswer, one: Connection) => offerOf(answer, one)?.label ?? one.provider;

function summary({ connections }: ConnectionsAnswer): string {
  const inUse = connections.filter(({ state }) => state !== 'disconnected');
  const bad = inUse.filter(({ state }) => state !== 'connected').length;
  const soon = inUse.filter((one) => endsSoon(one, now())).length;
  if (inUse.length === 0) return 'No platform is connected.';
  return [
    inUse.length === 1 ? 'One connection' : `${inUse.length} connections`,
    bad === 0 ? 'all work' : bad === 1 ? 'one has to be authorised again' : `${bad} have to be authorised again`,
    ...(soon === 0 ? [] : [soon === 1 ? 'one ends within two weeks' : `${soon} end within two weeks`]),
  ].join(', ');
}

function Rows({
  answer,
  manages,
  onLeave,
  onOpen,
}: {
  answer: ConnectionsAnswer;
  manages: boolean;
  onLeave: Leave;
  onOpen: (open: Open) => void;
}) {
  const shown = manages ? heads : heads.slice(0, 4);
  return (
    <div className="list many">
      <table>
        <thead>
          <tr>
            {shown.map((head) => (
              <th key={head} scope="col">
                {head === '' ? <span className="vh">Actions</span> : head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {answer.connections.map((one) => {
            const { sign, word, why } = stateOf(one);
            return (
              <tr key={one.id}>
                <td className="some">
                  <b>{one.label}</b>
                  {one.label !== platformOf(answer, one) && <span className="q"> {platformOf(answer, one)}</span>}
                  <div className="q2">
                    {one.kind === 'pasted' ? 'Pasted' : 'Authorised'} {momentDay(one.authorised_at)}
                    {one.scopes.length > 0 && `: ${one.scopes.map(shortScope).join(', ')}`}
                  </div>
                </td>
                <td className="some" data-head="State">
                  <span className={`st ${sign}`}>
                    <Glyph state={sign} />
                    {word}
                  </span>
                  {why !== undefined && <div className="q2">{why}</div>}
                </td>
                <td
                  className="some"
                  data-head="Ends"
                  title={one.expires_at === null ? undefined : momentText(one.expires_at)}
                >
                  {endsSoon(one, now()) ? (
                    <span className="st bad">
                      <Glyph state="bad" />
                      {endText(one, now())}
                    </span>
                  ) : (
                    endText(one, now())
                  )}
                  {one.refreshed_at !== null && <div className="q2">renewed {momentText(one.refreshed_at)}</div>}
                </td>
                <td className="some" data-head="Accounts">
                  {one.accounts.length === 0 ? (
                    <span className="q">–</span>
                  ) : (
                    one.accounts.map(({ id, name }) => <div key={id}>{name === id ? id : `${name} (${id})`}</div>)
                  )}
                </td>
                {manages && (
                  <td className="some act">
                    <RowActs answer={answer} one={one} onLeave={onLeave} onOpen={onOpen} />
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function RowActs({
  answer,
  one,
  onLeave,
  onOpen,
}: {
  answer: ConnectionsAnswer;
  one: Connection;
  onLeave: Leave;
  onOpen: (open: Open) => void;
}) {
  const offer = offerOf(answer, one);
  if (one.state === 'disconnected' || offer === undefined) return null;
  const more = notGranted(one, offer);
  const needsHand = one.state !== 'connected' || endsSoon(one, now());
  return (
    <div className="cx-acts">
      {one.kind === 'oauth' && offer.oauth?.is_set_up === true && needsHand && (
        <button
          type="button"
          className="btn"
          aria-label={`Authorise ${one.label} again`}
          onClick={() => void onLeave(offer, { connection: one.id })}
        >
          Authorise again
        </button>
      )}
      {offer.oauth?.is_set_up === true &&
        more.map(({ id, label, why }) => (
          <button
            key={id}
            type="button"
            className="btn"
            title={why}
            aria-label={`Allow ${one.label} more: ${label}`}
            onClick={() => void onLeave(offer, { connection: one.id, scopes: [id] })}
          >
            Allow: {label.toLowerCase()}
          </button>
        ))}
      {one.kind === 'pasted' && (
        <button
          type="button"
          className="btn"
          aria-label={`Replace the token of ${one.label}`}
          onClick={() => onOpen({ kind: 'paste', offer, replacing: one })}
        >
          Replace
        </button>
      )}
      <button
        type="button"
        className="btn quiet"
        aria-label={`Disconnect ${one.label}`}
        onClick={() => onOpen({ kind: 'disconnect', connection: one })}
      >
        Disconnect
      </button>
    </div>
  );
}

/** What can be connected here; what cannot says who can change that. */
function Offers({
  offers,
  onLeave,
  onOpen,
}: {
  offers: readonly ConnectionOffer[];
  onLeave: Leave;
  onOpen: (open: Open) => void;
}) {
  return (
    <section className="panel wi-lines" aria-labelledby="cx-offers">
      <h2 id="cx-offers">Connect a platform</h2>
      <ul className="cx-offers">
        {offers.map((offer) => (
          <li key={offer.provider}>
            <div>
              <b>{offer.label}</b>
              <div className="q2">{offerText(offer)}</div>
            </div>
            <div className="cx-acts">
              {offer.oauth?.is_set_up === true && (
                <button
                  type="button"
                  className="btn"
                  aria-label={`Connect ${offer.label}`}
                  onClick={() => void onLeave(offer)}
                >
                  Connect
                </button>
              )}
              {offer.pasted !== null && (
                <button
                  type="button"
                  className="btn"
                  aria-label={`Paste a token of ${offer.label}`}
                  onClick={() => onOpen({ kind: 'paste', offer })}
                >
                  Paste a token
                </button>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function offerText({ oauth, pasted }: ConnectionOffer): string {
  const first = oauth?.scopes.filter((one) => one.first).map(({ why }) => why) ?? [];
  if (oauth?.is_set_up === true) return first.join(' ');
  const paste = pasted === null ? '' : `Takes the ${pasted.what}.`;
  if (oauth === null) return paste;
  return `Signing in there is not set up: whoever runs this desk sets ${oauth.variables.join(' and ')}. ${paste}`.trim();
}

function shortScope(scope: string): string {
  return scope.split('/').at(-1) ?? scope;
}

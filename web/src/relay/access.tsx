import { useCallback, useState } from 'react';
import type { DestinationKind } from '../../../contract/relay_settings.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import {
  type AccountProblem,
  type Connection,
  type ConnectionAccounts,
  type ConnectionsAnswer,
  type ConnectionTargets,
  connectionsApi,
} from '../connections/api.ts';
import { endsSoon, endText, stateOf } from '../connections/words.ts';
import { Field, Select } from '../controls/field.tsx';
import type { ErrorOf } from '../controls/form_dialog.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { may, type Organisation } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { exactCount } from '../numbers/format.ts';

/** Connections and what can be connected; nothing for whoever may not read them. */
export function useConnections(organisation: Organisation): ConnectionsAnswer | undefined {
  const { id } = organisation;
  const isAllowed = may(organisation, 'connection.read');
  return useReading(
    useCallback(
      async (): Promise<ConnectionsAnswer> => (isAllowed ? connectionsApi.read(id) : { connections: [], offers: [] }),
      [id, isAllowed],
    ),
  ).answer;
}

/** Those that a kind of destination can be sent with: a sign-in only where the platform takes its token for sending. */
export function fittingConnections(kind: DestinationKind, all: ConnectionsAnswer | undefined): Connection[] {
  return (all?.connections ?? []).filter(
    ({ provider, state, kind: way }) =>
      provider === kind.provider && state !== 'disconnected' && (way === 'pasted' || kind.picks !== null),
  );
}

/** How a connection stands, for the line of a choice and a fact. */
export function connectionText(one: Connection): string {
  return one.state === 'connected' ? endText(one, now()) : stateOf(one).word;
}

/** What a destination is sent with: a connected account, or a token of its own. */
export function AccessField({
  kind,
  connections,
  value,
  site,
  error,
  disabled = false,
  onChange,
}: {
  kind: DestinationKind;
  connections: ConnectionsAnswer | undefined;
  /** Number of the connection; null = a token of its own. */
  value: number | null;
  site: string;
  error: string | undefined;
  disabled?: boolean;
  onChange: (connection: number | null) => void;
}) {
  const fitting = fittingConnections(kind, connections);
  const offer = connections?.offers.find(({ provider }) => provider === kind.provider);
  const chosen = fitting.find(({ id }) => id === value);
  const connectionsPage = pathOf({ page: 'connections', site });
  if (fitting.length === 0 && value === null) {
    const isOffered = kind.picks !== null && offer?.oauth?.is_set_up === true;
    return isOffered ? (
      <p className="help">
        With {offer.label} connected, its accounts and what conversions go to are chosen from lists.{' '}
        <Link className="link" href={connectionsPage}>
          Connect it
        </Link>
      </p>
    ) : null;
  }
  const needsHand = chosen !== undefined && (chosen.state !== 'connected' || endsSoon(chosen, now()));
  return (
    <Field
      label="Sent with"
      error={error}
      help={
        needsHand ? (
          <span className="st bad">
            <Glyph state="bad" />
            <span>
              It {connectionText(chosen)}.{' '}
              <Link className="link" href={connectionsPage}>
                Authorise it again
              </Link>
            </span>
          </span>
        ) : value === null ? (
          'A token that is pasted is good for sending alone; nothing can be listed with it.'
        ) : undefined
      }
    >
      {(props) => (
        <Select
          {...props}
          disabled={disabled}
          value={value ?? ''}
          onChange={(event) => onChange(event.target.value === '' ? null : Number(event.target.value))}
        >
          {value !== null && chosen === undefined && <option value={value}>Connection {value}</option>}
          {fitting.map((one) => (
            <option key={one.id} value={one.id}>
              {one.label}, {connectionText(one)}
            </option>
          ))}
          <option value="">A token of its own</option>
        </Select>
      )}
    </Field>
  );
}

type Picks = NonNullable<DestinationKind['picks']>;

/** The settings that a picker fills: whoever shows it leaves their fields out. */
export function pickedNames(kind: DestinationKind): ReadonlySet<string> {
  const { picks } = kind;
  return new Set(picks === null ? [] : Object.values(picks).filter((name) => name !== null));
}

/**
 * The account and what conversions go to, from the lists of the platform, each with what would go wrong with the first send.
 * What is found stands at the field that it is about, with the next step.
 */
export function AccountPicker({
  organisation,
  connection,
  kind,
  settings,
  site,
  errorOf,
  onSet,
  onWrite,
}: {
  organisation: Organisation;
  connection: number;
  kind: DestinationKind & { picks: Picks };
  settings: Readonly<Record<string, string>>;
  site: string;
  errorOf: ErrorOf;
  onSet: (settings: Record<string, string>) => void;
  /** The numbers are to be written by hand. */
  onWrite: () => void;
}) {
  const { picks } = kind;
  const [accountId, setAccount] = useState(picks.account === null ? '' : (settings[picks.account] ?? ''));
  const accounts = useReading(
    useCallback(() => connectionsApi.accounts(organisation.id, connection), [organisation.id, connection]),
  );
  const account = accounts.answer?.accounts.find(({ id }) => id === accountId);
  const through = account?.through ?? null;
  const targets = useReading(
    useCallback(
      async (): Promise<ConnectionTargets | undefined> =>
        account === undefined ? undefined : connectionsApi.targets(organisation.id, connection, account.id, through),
      [organisation.id, connection, account, through],
    ),
  );
  const label = (name: string) => kind.fields.find((field) => field.name === name)?.label ?? name;
  const choose = (next: ConnectionAccounts['accounts'][number] | undefined) => {
    setAccount(next?.id ?? '');
    onSet({
      ...settings,
      [picks.target]: '',
      ...(picks.account === null ? {} : { [picks.account]: next?.id ?? '' }),
      ...(picks.through === null ? {} : { [picks.through]: next?.through ?? '' }),
    });
  };
  const aim = (id: string) => {
    const target = targets.answer?.targets.find((one) => one.id === id);
    const isOnce = target?.problems.some(({ code }) => code === 'one_per_click') === true;
    onSet({
      ...settings,
      [picks.target]: id,
      ...(picks.counting === null || target === undefined
        ? {}
        : { [picks.counting]: isOnce ? 'ONE_PER_CLICK' : 'MANY_PER_CLICK' }),
    });
  };
  const targetId = settings[picks.target] ?? '';
  const target = targets.answer?.targets.find(({ id }) => id === targetId);
  const again = () => {
    accounts.reload();
    targets.reload();
  };
  return (
    <>
      <Field
        label="Account"
        error={
          (picks.account === null ? undefined : errorOf(`settings.${picks.account}`)) ?? refusedText(accounts.problem)
        }
        help={
          <Found
            site={site}
            problems={[
              ...(account?.problems ?? []),
              ...(account === undefined ? [] : (targets.answer?.problems ?? [])),
            ]}
            leftOff={accounts.answer?.left_off ?? 0}
            isReading={accounts.answer === undefined && accounts.problem === undefined}
          />
        }
      >
        {(props) => (
          <Select
            {...props}
            value={accountId}
            onChange={(event) => choose(accounts.answer?.accounts.find(({ id }) => id === event.target.value))}
          >
            <option value="">Choose an account</option>
            {accountId !== '' && account === undefined && <option value={accountId}>{accountId}</option>}
            {accounts.answer?.accounts.map((one) => (
              <option key={one.id} value={one.id}>
                {[`${one.name} (${one.id})`, one.currency, one.problems.some(blocks) && 'not usable']
                  .filter(Boolean)
                  .join(', ')}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {account !== undefined && (
        <Field
          label={label(picks.target)}
          error={errorOf(`settings.${picks.target}`) ?? refusedText(targets.problem)}
          help={
            <Found
              site={site}
              problems={target?.problems ?? []}
              leftOff={targets.answer?.left_off ?? 0}
              isReading={targets.answer === undefined && targets.problem === undefined}
              isNone={targets.answer?.targets.length === 0}
            />
          }
        >
          {(props) => (
            <Select {...props} value={targetId} onChange={(event) => aim(event.target.value)}>
              <option value="">Choose one</option>
              {targetId !== '' && target === undefined && <option value={targetId}>{targetId}</option>}
              {targets.answer?.targets.map((one) => (
                <option key={one.id} value={one.id}>
                  {`${one.name} (${one.id})${one.problems.some(blocks) ? ', not usable' : ''}`}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      <div className="rl-acts rl-picked">
        <button type="button" className="btn quiet sm" {...resting(accounts.answer === undefined)} onClick={again}>
          Look again
        </button>
        <button type="button" className="btn quiet sm" onClick={onWrite}>
          Write the numbers instead
        </button>
      </div>
    </>
  );
}

const blocks = (one: AccountProblem) => one.blocks;

const refusedText = (problem: DeskError | undefined) => problem?.message;

/** What a look before the first send found: what stops it first, then what makes it worth less. */
function Found({
  site,
  problems,
  leftOff,
  isReading,
  isNone = false,
}: {
  site: string;
  problems: readonly AccountProblem[];
  leftOff: number;
  isReading: boolean;
  isNone?: boolean;
}) {
  if (isReading) return <span role="status">Asking the platform…</span>;
  return (
    <span className="rl-found" role="status">
      {problems
        .toSorted((a, b) => Number(b.blocks) - Number(a.blocks))
        .map((one) => (
          <span key={one.code} className={one.blocks ? 'st bad' : 'st'}>
            <Glyph state={one.blocks ? 'bad' : 'idle'} />
            <span>
              {one.sentence}
              {one.code === 'permission' && (
                <>
                  {' '}
                  <Link className="link" href={pathOf({ page: 'connections', site })}>
                    Allow it
                  </Link>
                </>
              )}
            </span>
          </span>
        ))}
      {isNone && <span>The platform lists none in this account. Make one there, then look again.</span>}
      {leftOff > 0 && <span>{exactCount(leftOff)} more are not listed: write the number.</span>}
    </span>
  );
}

import { useState } from 'react';
import type { Condition } from '../../../contract/mapping.ts';
import type { RelayDestination, RelayRoute, RelaySource } from '../../../contract/relay_settings.ts';
import { useAsk } from '../account/use_account.tsx';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Icon } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { Organisation } from '../desk/session.tsx';
import { exactCount } from '../numbers/format.ts';
import { type RouteRulesSent, type RouteTest, relayOf } from './api.ts';
import type { Ends } from './routes.tsx';
import { deliveryText, outcomeWords } from './words.ts';

type Event = { name: string; as: string };

/** What goes, as what, at which value: one route, with what it would do to the requests that came. */
export function RouteForm({
  organisation,
  of,
  sources,
  destinations,
  route,
  onSaved,
  onClose,
}: {
  organisation: Organisation;
  of: Ends;
  sources: readonly RelaySource[];
  destinations: readonly RelayDestination[];
  route?: RelayRoute;
  onSaved: () => void;
  onClose: () => void;
}) {
  const relay = relayOf(organisation.id);
  const rules = route?.rules ?? {};
  const [sourceId, setSource] = useState(route?.source_id ?? of.source_id ?? sources[0]?.id ?? 0);
  const [destinationId, setDestination] = useState(
    route?.destination_id ?? of.destination_id ?? destinations[0]?.id ?? 0,
  );
  const [events, setEvents] = useState<Event[]>((rules.events ?? []).map(({ name, as = '' }) => ({ name, as })));
  const [valueKind, setValueKind] = useState<'own' | 'factor' | 'fixed' | 'margin'>(
    rules.value === undefined
      ? 'own'
      : 'factor' in rules.value
        ? 'factor'
        : 'fixed' in rules.value
          ? 'fixed'
          : 'margin',
  );
  const [amount, setAmount] = useState(
    rules.value === undefined || 'margin' in rules.value
      ? ''
      : 'factor' in rules.value
        ? rules.value.factor
        : rules.value.fixed,
  );
  const [when, setWhen] = useState(() => simpleOf(rules.when));
  const [firstOnly, setFirstOnly] = useState(rules.first_only === true);
  const [hold, setHold] = useState(rules.hold === true);
  const test = useAsk();
  const [tested, setTested] = useState<RouteTest>();

  const made = (): RouteRulesSent => {
    const named = events.filter(({ name }) => name.trim() !== '');
    return {
      ...(when === 'kept' ? { when: rules.when } : when.path.trim() === '' ? {} : { when: conditionOf(when) }),
      ...(named.length === 0
        ? {}
        : {
            events: named.map(({ name, as }) => ({
              name: name.trim(),
              ...(as.trim() === '' ? {} : { as: as.trim() }),
            })),
          }),
      ...(valueKind === 'factor' ? { value: { factor: amount } } : {}),
      ...(valueKind === 'fixed' ? { value: { fixed: amount } } : {}),
      ...(valueKind === 'margin' ? { value: { margin: true as const } } : {}),
      ...(firstOnly ? { first_only: true } : {}),
      ...(hold ? { hold: true } : {}),
    };
  };
  const ends = { source_id: sourceId, destination_id: destinationId };
  const send = async () => {
    if (route === undefined) await relay.addRoute({ ...ends, rules: made() });
    else await relay.changeRoute(route.id, { version: route.version, rules: made() });
    onSaved();
  };
  const setEvent = (at: number, part: Partial<Event>) =>
    setEvents(events.map((one, place) => (place === at ? { ...one, ...part } : one)));
  return (
    <FormDialog
      label={route === undefined ? 'Add a route' : 'Change the route'}
      title={route === undefined ? 'Add a route' : 'Change the route'}
      fields={['source_id', 'destination_id', 'rules.value', 'rules.when.path']}
      act={route === undefined ? 'Add the route' : 'Save the route'}
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          {route === undefined && of.source_id === undefined && (
            <Field label="From" error={errorOf('source_id')}>
              {(props) => (
                <Select {...props} value={sourceId} onChange={(event) => setSource(Number(event.target.value))}>
                  {sources.map(({ id, name }) => (
                    <option key={id} value={id}>
                      {name}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          )}
          {route === undefined && of.destination_id === undefined && (
            <Field label="To" error={errorOf('destination_id')}>
              {(props) => (
                <Select
                  {...props}
                  value={destinationId}
                  onChange={(event) => setDestination(Number(event.target.value))}
                >
                  {destinations.map(({ id, name }) => (
                    <option key={id} value={id}>
                      {name}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          )}
          <fieldset className="rl-set">
            <legend>Events</legend>
            {events.length === 0 && <p className="help">Every event goes, by its own name.</p>}
            {events.map((event, at) => (
              <div className="rl-pair" key={at}>
                <input
                  className="in sm"
                  aria-label={`Event ${at + 1}`}
                  placeholder="purchase"
                  value={event.name}
                  onChange={(typed) => setEvent(at, { name: typed.target.value })}
                />
                <input
                  className="in sm"
                  aria-label={`Event ${at + 1} at the platform`}
                  placeholder="as, optional"
                  value={event.as}
                  onChange={(typed) => setEvent(at, { as: typed.target.value })}
                />
                <button
                  type="button"
                  className="btn quiet icon sm"
                  aria-label={`Take event ${at + 1} away`}
                  onClick={() => setEvents(events.filter((_, place) => place !== at))}
                >
                  <Icon name="close" />
                </button>
              </div>
            ))}
            <button type="button" className="btn quiet sm" onClick={() => setEvents([...events, { name: '', as: '' }])}>
              <Icon name="plus" />
              Only some events
            </button>
          </fieldset>
          <div className="rl-two">
            <Field label="Value that is sent" error={errorOf('rules.value')}>
              {(props) => (
                <Select
                  {...props}
                  value={valueKind}
                  onChange={(event) => {
                    setValueKind(event.target.value as typeof valueKind);
                    clear();
                  }}
                >
                  <option value="own">As it came</option>
                  <option value="factor">Times a factor</option>
                  <option value="fixed">Always the same</option>
                  <option value="margin">Less its cost</option>
                </Select>
              )}
            </Field>
            {(valueKind === 'factor' || valueKind === 'fixed') && (
              <Field label={valueKind === 'factor' ? 'Factor' : 'Value'}>
                {(props) => (
                  <input
                    {...props}
                    className="in"
                    inputMode="decimal"
                    placeholder={valueKind === 'factor' ? '0.7' : '25.00'}
                    value={amount}
                    onChange={(event) => setAmount(event.target.value)}
                  />
                )}
              </Field>
            )}
          </div>
          {when === 'kept' ? (
            <p className="help">Its condition has several parts. It stays as it is, and is changed by API.</p>
          ) : (
            <div className="rl-three">
              <Field label="Only where" error={errorOf('rules.when.path')}>
                {(props) => (
                  <input
                    {...props}
                    className="in"
                    placeholder="value, optional"
                    value={when.path}
                    onChange={(event) => setWhen({ ...when, path: event.target.value })}
                  />
                )}
              </Field>
              <Field label="is">
                {(props) => (
                  <Select
                    {...props}
                    value={when.is}
                    onChange={(event) => setWhen({ ...when, is: event.target.value as Is })}
                  >
                    {Object.entries(isWords).map(([name, words]) => (
                      <option key={name} value={name}>
                        {words}
                      </option>
                    ))}
                  </Select>
                )}
              </Field>
              {when.is !== 'there' && (
                <Field label="this">
                  {(props) => (
                    <input
                      {...props}
                      className="in"
                      value={when.to}
                      onChange={(event) => setWhen({ ...when, to: event.target.value })}
                    />
                  )}
                </Field>
              )}
            </div>
          )}
          <div className="toggle">
            <input
              id="rl-first"
              type="checkbox"
              checked={firstOnly}
              onChange={(event) => setFirstOnly(event.target.checked)}
            />
            <label htmlFor="rl-first">Only the first</label>
            <span className="help">Of its event for a click id, or for a person where there is none.</span>
          </div>
          <div className="toggle">
            <input id="rl-hold" type="checkbox" checked={hold} onChange={(event) => setHold(event.target.checked)} />
            <label htmlFor="rl-hold">Wait for approval</label>
            <span className="help">Each waits until somebody lets it go.</span>
          </div>
          <div className="rl-test">
            <button
              type="button"
              className="btn sm"
              {...resting(test.asking)}
              onClick={async () => {
                const done = await test.ask(() => relay.testRoute({ ...ends, rules: made() }));
                setTested(done?.answer);
              }}
            >
              Try it on kept requests
            </button>
            <span role="status">{test.refusal?.message ?? (tested === undefined ? '' : testText(tested))}</span>
          </div>
        </>
      )}
    </FormDialog>
  );
}

const isWords = { equals: 'exactly', '>=': 'at least', '<': 'less than', there: 'there' } as const;
type Is = keyof typeof isWords;
type Simple = { path: string; is: Is; to: string };

/** A condition that the form can show; any other is kept. */
function simpleOf(when: Condition | undefined): Simple | 'kept' {
  if (when === undefined) return { path: '', is: 'equals', to: '' };
  if ('equals' in when) return { path: when.path, is: 'equals', to: String(when.equals) };
  if ('exists' in when && when.exists) return { path: when.path, is: 'there', to: '' };
  if ('compare' in when && (when.compare === '>=' || when.compare === '<'))
    return { path: when.path, is: when.compare, to: String(when.to) };
  return 'kept';
}

function conditionOf({ path, is, to }: Simple): Condition {
  const at = path.trim();
  if (is === 'there') return { path: at, exists: true };
  return is === 'equals' ? { path: at, equals: to } : { path: at, compare: is, to };
}

function testText({ captures, conversions, outcomes }: RouteTest): string {
  if (captures === 0) return 'No request is kept of this source yet.';
  const rows = outcomes.map(({ outcome, reason, field, count }) => {
    const why = deliveryText({ ...(reason && { reason }), ...(field && { field }) });
    return `${exactCount(count)}: ${outcomeWords[outcome].toLowerCase()}${why === '' ? '' : ` (${why})`}`;
  });
  const head = `${exactCount(conversions)} ${conversions === 1 ? 'conversion' : 'conversions'} in ${exactCount(captures)} ${captures === 1 ? 'request' : 'requests'}.`;
  return [head, ...rows].join(' ');
}

import { useCallback, useState } from 'react';
import type { RelayDestination, RelayRoute, RelaySource } from '../../../contract/relay_settings.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { ComingRows } from '../controls/coming.tsx';
import { FormError } from '../controls/field.tsx';
import { Icon } from '../controls/icons.tsx';
import type { DeskError, Site } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import type { Organisation } from '../desk/session.tsx';
import { Empty, Failed } from '../overview/states.tsx';
import { relayOf } from './api.ts';
import { RouteForm } from './route_form.tsx';
import { StateWord } from './state.tsx';

export type Ends = Partial<Pick<RelayRoute, 'source_id' | 'destination_id'>>;

/** The routes of a source or of a destination, in its own page: what goes, as what, and under which condition. */
export function Routes({
  site,
  organisation,
  mayChange,
  of,
}: {
  site: Site;
  organisation: Organisation;
  mayChange: boolean;
  of: Ends;
}) {
  const relay = relayOf(organisation.id);
  const { answer, problem, reload } = useReading(
    useCallback(async () => {
      const calls = relayOf(organisation.id);
      const [{ routes }, { sources }, { destinations }] = await Promise.all([
        calls.routes(),
        calls.sources(),
        calls.destinations(),
      ]);
      return { routes, sources, destinations };
    }, [organisation.id]),
  );
  const [form, setForm] = useState<RelayRoute | 'new'>();
  const [refusal, setRefusal] = useState<DeskError>();
  const act = async (work: Promise<unknown>) => {
    setRefusal(undefined);
    try {
      await work;
      reload();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  const own = answer?.routes.filter(
    (route) =>
      (of.source_id === undefined || route.source_id === of.source_id) &&
      (of.destination_id === undefined || route.destination_id === of.destination_id),
  );
  const isOfSource = of.source_id !== undefined;
  const others: readonly (RelaySource | RelayDestination)[] =
    answer === undefined ? [] : isOfSource ? answer.destinations : answer.sources;
  const otherOf = (route: RelayRoute) => {
    const id = isOfSource ? route.destination_id : route.source_id;
    return { id, name: others.find((one) => one.id === id)?.name ?? '…' };
  };
  return (
    <section className="panel rl-routes" aria-label="Routes">
      <header>
        <h2>{isOfSource ? 'Where its conversions go' : 'What goes there'}</h2>
        {mayChange && others.length > 0 && own !== undefined && own.length > 0 && (
          <button type="button" className="btn sm end" onClick={() => setForm('new')}>
            <Icon name="plus" />
            Add a route
          </button>
        )}
      </header>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      {problem !== undefined ? (
        <Failed {...problem} onRetry={reload} what="The routes could not be read." />
      ) : own === undefined ? (
        <ComingRows what="the routes" rows={2} lines={2} />
      ) : own.length === 0 ? (
        <Empty
          title={isOfSource ? 'Its conversions go nowhere yet.' : 'Nothing goes there yet.'}
          action={
            !mayChange ? undefined : others.length > 0 ? (
              <button type="button" className="btn sm" onClick={() => setForm('new')}>
                Add a route
              </button>
            ) : (
              <Link
                className="btn sm"
                href={pathOf({ page: isOfSource ? 'relay-destinations' : 'relay-sources', site: site.domain })}
              >
                {isOfSource ? 'Add a destination' : 'Add a source'}
              </Link>
            )
          }
        >
          A route sends each conversion of a source to a destination. What came before it was made does not go.
        </Empty>
      ) : (
        <ul className="rl-rows">
          {own.map((route) => {
            const other = otherOf(route);
            const path = isOfSource
              ? pathOf({ page: 'relay-destination', site: site.domain, destination: other.id })
              : pathOf({ page: 'relay-source', site: site.domain, source: other.id });
            return (
              <li key={route.id}>
                <div className="rl-what">
                  <Link className="link" href={path}>
                    {other.name}
                  </Link>
                  <span className="q">{rulesText(route)}</span>
                </div>
                <StateWord state={route.state} />
                {mayChange && (
                  <div className="rl-acts">
                    <button type="button" className="btn quiet sm" onClick={() => setForm(route)}>
                      Change
                    </button>
                    <button
                      type="button"
                      className="btn quiet sm"
                      onClick={() =>
                        act(
                          relay.changeRoute(route.id, {
                            version: route.version,
                            state: route.state === 'active' ? 'paused' : 'active',
                          }),
                        )
                      }
                    >
                      {route.state === 'active' ? 'Pause' : 'Resume'}
                    </button>
                    <button type="button" className="btn quiet sm" onClick={() => act(relay.removeRoute(route.id))}>
                      Remove
                    </button>
                  </div>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {form !== undefined && answer !== undefined && (
        <RouteForm
          organisation={organisation}
          of={of}
          sources={answer.sources}
          destinations={answer.destinations}
          {...(form === 'new' ? {} : { route: form })}
          onSaved={() => {
            setForm(undefined);
            reload();
          }}
          onClose={() => setForm(undefined)}
        />
      )}
    </section>
  );
}

/** What a route does, in a line. */
export function rulesText({ rules }: Pick<RelayRoute, 'rules'>): string {
  const { events = [], value, when, first_only, hold } = rules;
  const said = [
    events.length === 0
      ? 'every event'
      : events.map(({ name, as }) => (as === undefined ? name : `${name} as ${as}`)).join(', '),
  ];
  if (value !== undefined)
    said.push(
      'factor' in value
        ? `value × ${value.factor}`
        : 'fixed' in value
          ? `value always ${value.fixed}`
          : 'value less cost',
    );
  if (when !== undefined) said.push('under a condition');
  if (first_only === true) said.push('only the first');
  if (hold === true) said.push('waits for approval');
  return said.join(' · ');
}

import type { ReactNode } from 'react';
import { useEffect, useRef, useState } from 'react';
import { navigate, useAddress } from '../address/navigate.tsx';
import { pathOf, readRoute } from '../address/route.ts';
import { readView, writeView } from '../address/view.ts';
import { Sparkline } from '../charts/sparkline.tsx';
import { Icon } from '../controls/icons.tsx';
import { listKeys } from '../controls/list_keys.ts';
import { Popover } from '../controls/popover.tsx';
import { drawn, useAnswers } from '../desk/answers.ts';
import type { QueryRequest, Site } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { useSession } from '../desk/session.tsx';
import { now } from '../edge/browser.ts';
import { cellNumber, exactCount } from '../numbers/format.ts';
import { addDays, isAhead, localTime, stepLabels } from '../period/period.ts';
import { analyticsPageAt, overviewPage } from './pages.ts';

/** A combobox over all sites. Another site keeps the page, the period and the filters. */
export function SiteSwitcher({
  site,
  organisation,
  search: query,
}: {
  site: string | undefined;
  organisation?: Organisation | undefined;
  search: string;
}) {
  const session = useSession();
  const { pathname } = useAddress();
  const route = readRoute(pathname);
  const here = analyticsPageAt(pathname) ?? overviewPage;
  const [open, setOpen] = useState(false);
  const [search, setSearch] = useState('');
  const [at, setAt] = useState(0);
  const wanted = search.trim().toLowerCase();
  const grouped = session.organisations.length > 1;
  const order = new Map(session.organisations.map(({ id }, place) => [id, place]));
  const sites = session.sites
    .filter((one) => one.domain.includes(wanted))
    .sort((a, b) => (order.get(a.organisation_id) ?? 0) - (order.get(b.organisation_id) ?? 0));
  const options = [
    ...sites.map((one) => ({
      id: String(one.id),
      text: one.domain,
      tile: true,
      group: grouped ? session.organisations.find(({ id }) => id === one.organisation_id)?.name : undefined,
      to:
        route.page === 'settings'
          ? pathOf({ page: 'settings', site: one.domain, section: route.section })
          : pathOf({ page: here.page, site: one.domain }) +
            (here.keepsView && site !== undefined ? writeView(readView(query)) : ''),
    })),
    ...(session.sites.length > 1 && wanted === ''
      ? [{ id: 'all', text: 'All sites', tile: false, group: undefined, to: '/' }]
      : []),
    ...(wanted === '' ? [{ id: 'new', text: 'Add a site', tile: false, group: undefined, to: '/sites/new' }] : []),
  ];
  const active = Math.min(at, Math.max(0, options.length - 1));
  const name = site ?? organisation?.name ?? session.organisations[0]?.name ?? 'Fairlead';
  const choose = (to: string | undefined, close: () => void) => {
    if (to === undefined) return;
    close();
    setSearch('');
    navigate(to);
  };
  return (
    <Popover
      label="Sites"
      width={320}
      open={open}
      onOpenChange={(opened) => {
        setOpen(opened);
        setAt(
          Math.max(
            0,
            sites.findIndex((one) => one.domain === site),
          ),
        );
      }}
      className="switcher"
      button={(props) => (
        <button type="button" className="site" title={name} {...props}>
          <Tile name={name} />
          <span className="cut">{name}</span>
          <Icon name="updown" />
        </button>
      )}
    >
      {(close) => (
        <div className="editor">
          <div className="in sm search">
            <Icon name="search" />
            <input
              role="combobox"
              aria-expanded="true"
              aria-controls="site-options"
              aria-activedescendant={options[active] === undefined ? undefined : `site-option-${options[active].id}`}
              aria-label="Find a site"
              placeholder="Find a site…"
              value={search}
              onChange={(event) => {
                setSearch(event.target.value);
                setAt(0);
              }}
              onKeyDown={listKeys({
                active,
                count: options.length,
                move: setAt,
                choose: () => choose(options[active]?.to, close),
              })}
            />
          </div>
          <Options sites={sites.slice(0, numbersMax)} active={active}>
            {(numbers) =>
              options.map((option, index) => [
                option.group !== undefined && option.group !== options[index - 1]?.group && (
                  <div key={`group ${option.group}`} className="group-name" role="presentation">
                    {option.group}
                  </div>
                ),
                // biome-ignore lint/a11y/useKeyWithClickEvents: the input above owns the keyboard (combobox pattern).
                <div
                  key={option.id}
                  id={`site-option-${option.id}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={index === active}
                  onPointerMove={() => setAt(index)}
                  onClick={() => choose(option.to, close)}
                >
                  {option.tile ? <Tile name={option.text} /> : <Icon name={option.id === 'new' ? 'plus' : 'sites'} />}
                  <span className="cut">{option.text}</span>
                  {option.tile && numbers(option.text)}
                  {option.text === site ? <Icon name="check" /> : option.tile && <span className="site-mark" />}
                </div>,
              ])
            }
          </Options>
        </div>
      )}
    </Popover>
  );
}

/** A batch takes 20 questions and a site needs two: with more sites, those that are found first have numbers. */
const numbersMax = 10;
const hoursShown = 24;

/** The list of sites; beside each who is there now, and the last day by hours. Asked once it is opened. */
function Options({
  sites,
  active,
  children,
}: {
  sites: readonly Site[];
  /** The number of the option that the keys have reached, which is kept in sight. */
  active: number;
  children: (numbers: (domain: string) => ReactNode) => ReactNode;
}) {
  const [moment] = useState(now);
  const questions: Record<string, QueryRequest> = {};
  for (const { domain, timezone } of sites) {
    const { day } = localTime(moment, timezone);
    const metrics: QueryRequest['metrics'] = ['visitors'];
    questions[`${domain} now`] = { site_id: domain, metrics, date_range: 'realtime' };
    questions[`${domain} hours`] = {
      ...{ site_id: domain, metrics, date_range: [addDays(day, -1), day] },
      dimensions: ['time:hour'],
    };
  }
  const { answers } = useAnswers(questions);
  const numbers = (domain: string) => {
    const site = sites.find((one) => one.domain === domain);
    const visitors = cellNumber(drawn(answers[`${domain} now`])?.results[0]?.metrics[0]);
    const hours = drawn(answers[`${domain} hours`]);
    if (site === undefined) return null;
    const local = localTime(moment, site.timezone);
    const byHour = new Map((hours?.results ?? []).map((row) => [row.dimensions[0], cellNumber(row.metrics[0]) ?? 0]));
    const values = stepLabels({ from: addDays(local.day, -1), to: local.day }, 'hour')
      .filter((label) => !isAhead(label, 'hour', local))
      .slice(-hoursShown)
      .map((label) => byHour.get(label) ?? 0);
    return (
      <span className="site-now">
        {hours !== undefined && (
          <Sparkline
            values={values}
            top={Math.max(...values)}
            running
            label={`Visitors per hour, last ${hoursShown} hours: ${values.join(', ')}`}
          />
        )}
        <b>{visitors === null ? '' : exactCount(visitors)}</b>
        {visitors !== null && <span className="vh"> now</span>}
      </span>
    );
  };
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelectorAll('[role="option"]')[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div className="options" id="site-options" role="listbox" aria-label="Sites" ref={list}>
      {children(numbers)}
    </div>
  );
}

export function Tile({ name }: { name: string }) {
  return (
    <span className="tile" aria-hidden="true">
      {(name[0] ?? 'F').toUpperCase()}
    </span>
  );
}

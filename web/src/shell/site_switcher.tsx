import { useState } from 'react';
import { navigate, useAddress } from '../address/navigate.tsx';
import { pathOf, readRoute } from '../address/route.ts';
import { Icon } from '../controls/icons.tsx';
import { listKeys } from '../controls/list_keys.ts';
import { Popover } from '../controls/popover.tsx';
import { useSession } from '../desk/session.tsx';

/** A combobox over all sites. Another site keeps the page, the period and the filters. */
export function SiteSwitcher({ site, search: query }: { site: string | undefined; search: string }) {
  const session = useSession();
  const { pathname } = useAddress();
  const route = readRoute(pathname);
  const [open, setOpen] = useState(false);
  const [search, setSearch] = useState('');
  const [at, setAt] = useState(0);
  const wanted = search.trim().toLowerCase();
  const options = [
    ...session.sites
      .filter((one) => one.domain.includes(wanted))
      .map((one) => ({
        id: String(one.id),
        text: one.domain,
        tile: true,
        to:
          route.page === 'settings'
            ? pathOf({ page: 'settings', site: one.domain, section: route.section })
            : pathOf({ page: 'analytics', site: one.domain }) + (route.page === 'analytics' ? query : ''),
      })),
    ...(session.sites.length > 1 && wanted === '' ? [{ id: 'all', text: 'All sites', tile: false, to: '/' }] : []),
    ...(wanted === '' ? [{ id: 'new', text: 'Add a site', tile: false, to: '/sites/new' }] : []),
  ];
  const active = Math.min(at, Math.max(0, options.length - 1));
  const name = site ?? session.organisations[0]?.name ?? 'Fairlead';
  const choose = (to: string | undefined, close: () => void) => {
    if (to === undefined) return;
    close();
    setSearch('');
    navigate(to);
  };
  return (
    <Popover
      label="Sites"
      width={280}
      open={open}
      onOpenChange={(opened) => {
        setOpen(opened);
        setAt(
          Math.max(
            0,
            session.sites.findIndex((one) => one.domain === site),
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
          <div className="options" id="site-options" role="listbox" aria-label="Sites">
            {options.map((option, index) => (
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
                {option.text === site && <Icon name="check" />}
              </div>
            ))}
          </div>
        </div>
      )}
    </Popover>
  );
}

export function Tile({ name }: { name: string }) {
  return (
    <span className="tile" aria-hidden="true">
      {(name[0] ?? 'F').toUpperCase()}
    </span>
  );
}

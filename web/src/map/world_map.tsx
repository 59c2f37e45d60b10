import type { KeyboardEvent } from 'react';
import { useId, useMemo, useState } from 'react';
import topology from 'world-atlas/countries-110m.json' with { type: 'json' };
import { axisCount, exactCount, percent, share } from '../numbers/format.ts';
import { mapSize, outlinesOf, quantileSteps } from './world.ts';
import './world_map.css';

/** A country as the list beside the map has it: most visitors first. */
export interface Place {
  code: string;
  name: string;
  visitors: number;
}

/** As many as there are colours (s-1 to s-6). */
const stepsMax = 6;
/** Names of places that have no outline, before the rest is only counted. */
const namedMax = 3;

/**
 * Visitors by country as a choropleth: six steps that hold as many countries each, a legend with counts, a click as in
 * the list. Countries with visitors are one stop of the keyboard, with arrows from the most to the least.
 */
export function WorldMap({
  places,
  total,
  filtered,
  onFilter,
}: {
  places: readonly Place[];
  /** Visitors of the view, which shares are of; null while they are on their way. */
  total: number | null;
  filtered: (code: string) => boolean;
  onFilter: (code: string, exclude: boolean) => void;
}) {
  const titleId = useId();
  const [pointed, setPointed] = useState<string>();
  const [stop, setStop] = useState<string>();
  const outlines = useMemo(() => outlinesOf(topology), []);
  const drawn = useMemo(() => new Set(outlines.map(({ code }) => code)), [outlines]);
  const byCode = new Map(places.map((place) => [place.code, place]));
  const onMap = places.filter(({ code, visitors }) => drawn.has(code) && visitors > 0);
  const offMap = places.filter(({ code, visitors }) => !drawn.has(code) && visitors > 0);
  const steps = quantileSteps(
    onMap.map(({ visitors }) => visitors),
    stepsMax,
  );
  // Fewer steps take the stronger colours, so that one country alone is seen at once.
  const colourOf = (visitors: number) => {
    const at = steps.findIndex(({ to }) => visitors <= to);
    return at < 0 ? 'var(--s-0)' : `var(--s-${stepsMax - steps.length + at + 1})`;
  };
  const words = ({ name, visitors }: Place) =>
    `${name}: ${exactCount(visitors)} ${visitors === 1 ? 'visitor' : 'visitors'}${total === null ? '' : `, ${percent(share(visitors, total) ?? 0)}`}`;
  const reachable = onMap.some(({ code }) => code === stop) ? stop : onMap[0]?.code;
  const shown = byCode.get(pointed ?? '');
  const [first] = onMap;

  const move = (event: KeyboardEvent<SVGPathElement>, code: string) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      onFilter(code, event.altKey);
    } else if (by !== undefined) {
      event.preventDefault();
      const at = onMap.findIndex((place) => place.code === code);
      const next = onMap[(at + by + onMap.length) % onMap.length]?.code;
      event.currentTarget.ownerSVGElement?.querySelector<SVGPathElement>(`[data-code="${next}"]`)?.focus();
    }
  };

  return (
    <div className="world">
      {/* biome-ignore lint/a11y/useSemanticElements: a picture whose parts can be pressed is no set of form fields. */}
      <svg viewBox={`0 0 ${mapSize.width} ${mapSize.height}`} role="group" aria-labelledby={titleId}>
        <title id={titleId}>
          {first === undefined
            ? 'Visitors by country: none with an outline on this map'
            : `Visitors by country: ${exactCount(onMap.length)} on the map, most from ${first.name}`}
        </title>
        {outlines.map(({ code, path }) => {
          const place = code === undefined ? undefined : byCode.get(code);
          if (code === undefined || place === undefined || place.visitors === 0)
            return <path key={code ?? path} d={path} className="land" />;
          return (
            // biome-ignore lint/a11y/useSemanticElements: a shape of a picture cannot be a button element.
            <path
              key={code}
              d={path}
              data-code={code}
              className={`land visited ${filtered(code) ? 'on' : ''}`}
              style={{ fill: colourOf(place.visitors) }}
              role="button"
              tabIndex={code === reachable ? 0 : -1}
              aria-label={words(place)}
              aria-pressed={filtered(code)}
              onClick={(event) => onFilter(code, event.altKey)}
              onKeyDown={(event) => move(event, code)}
              onFocus={() => {
                setStop(code);
                setPointed(code);
              }}
              onBlur={() => setPointed(undefined)}
              onPointerEnter={() => setPointed(code)}
              onPointerLeave={() => setPointed(undefined)}
            />
          );
        })}
      </svg>
      <p className="said">{shown !== undefined ? words(shown) : <OffMap places={offMap} />}</p>
      <ol className="shades" aria-label="Visitors of a country, by colour">
        {steps.map(({ from, to, countries }, at) => (
          <li
            key={from}
            title={`${exactCount(from)} to ${exactCount(to)}: ${exactCount(countries)} ${countries === 1 ? 'country' : 'countries'}`}
          >
            <span className="swatch" style={{ background: `var(--s-${stepsMax - steps.length + at + 1})` }} />
            {from === to ? axisCount(from) : `${axisCount(from)}–${axisCount(to)}`}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** What the map cannot show is said, so that its sum is the list's. */
function OffMap({ places }: { places: readonly Place[] }) {
  if (places.length === 0) return <>Point at a country for its number.</>;
  const visitors = places.reduce((sum, place) => sum + place.visitors, 0);
  const named = places.slice(0, namedMax).map(({ name }) => name);
  const more = places.length - named.length;
  return (
    <>
      Not on the map, in the list: {named.join(', ')}
      {more > 0 && ` and ${exactCount(more)} more`} ({exactCount(visitors)}).
    </>
  );
}

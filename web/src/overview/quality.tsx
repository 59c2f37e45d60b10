import { useState } from 'react';
import type { QualitySign } from '../../../contract/quality.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Icon } from '../controls/icons.tsx';
import { api } from '../desk/api.ts';
import { useWhileVisible } from '../desk/live.ts';
import { exactCount, percent } from '../numbers/format.ts';

/** A fault of hours is seen soon enough. */
const lookEveryMs = 5 * 60_000;

/**
 * What is off with a site's events. Asked once the numbers stand, which come first.
 * @returns `undefined` until it is known; nothing, too, where it could not be asked
 */
export function useQuality(site: string, wanted: boolean): readonly QualitySign[] | undefined {
  const [known, setKnown] = useState<{ site: string; signs: readonly QualitySign[] }>();
  useWhileVisible(
    async (signal) => {
      if (!wanted) return;
      try {
        const { signs } = await api.quality(site, signal);
        if (!signal.aborted) setKnown({ site, signs });
      } catch {
        // The state of the desk is said beside the numbers; what was found last stays.
        if (!signal.aborted) setKnown((before) => (before?.site === site ? before : { site, signs: [] }));
      }
    },
    lookEveryMs,
    [site, wanted],
  );
  return known?.site === site ? known.signs : undefined;
}

/** What is off, in as many words as fit beside the title. It leads to the reasons. */
export function QualityLine({ site, signs }: { site: string; signs: readonly QualitySign[] }) {
  if (signs.length === 0) return null;
  return (
    <span className="live off only-d" title={signs.map(signSentence).join('\n')}>
      <Icon name="alert" />
      <SignLink site={site} signs={signs} />
    </span>
  );
}

/** The same on a phone, where the title has no room: over the foot of the page, until it is hidden. */
export function QualityNote({ site, signs }: { site: string; signs: readonly QualitySign[] }) {
  const [hidden, setHidden] = useState('');
  const words = shortOf(signs);
  if (signs.length === 0 || hidden === words) return null;
  return (
    <p className="note warn away only-m off">
      <Icon name="alert" />
      <SignLink site={site} signs={signs} />
      <button type="button" className="btn quiet icon sm" aria-label="Hide" onClick={() => setHidden(words)}>
        <Icon name="close" />
      </button>
    </p>
  );
}

function SignLink({ site, signs }: { site: string; signs: readonly QualitySign[] }) {
  return (
    <Link className="link" href={`${pathOf({ page: 'missing', site })}?period=24h`}>
      {shortOf(signs)}
    </Link>
  );
}

function shortOf([first, ...more]: readonly QualitySign[]): string {
  if (first === undefined) return '';
  return `${wordsOf(first)}${more.length === 0 ? '' : `, and ${more.length} more`}`;
}

function wordsOf(sign: QualitySign): string {
  switch (sign.sign) {
    case 'silent':
      return `No event for ${hoursText(sign.hours)}`;
    case 'fell':
      return 'Events fell by more than half';
    case 'refused':
      return `${percent(sign.share)} of events refused`;
    case 'shielded':
      return `${percent(sign.share)} stopped by shields`;
    case 'robots':
      return `${percent(sign.share)} robots`;
  }
}

/** The whole of it, with the numbers that it was found by. */
export function signSentence(sign: QualitySign): string {
  switch (sign.sign) {
    case 'silent':
      return `No event was stored for ${hoursText(sign.hours)}. The same hours had at least ${exactCount(sign.usual_min)} on each of ${sign.days} days before.`;
    case 'fell':
      return `${exactCount(sign.events)} events were stored in 24 hours. Usual are ${exactCount(sign.usual)}: the median of the seven days before, or the same weekday if that had fewer.`;
    case 'refused':
      return `${exactCount(sign.events)} events (${percent(sign.share)} of what arrived in 24 hours) could not be taken. Most often: ${asClause(sign.means)}`;
    case 'shielded':
      return `${exactCount(sign.events)} events (${percent(sign.share)} of what arrived in 24 hours) were stopped by shields. Most often: ${asClause(sign.means)}`;
    case 'robots':
      return `${exactCount(sign.events)} events (${percent(sign.share)} of what arrived in 24 hours) came from robots. They are in no number of this desk.`;
  }
}

const hoursText = (hours: number) =>
  hours === 1 ? 'an hour' : hours >= 48 ? `${Math.floor(hours / 24)} days` : `${hours} hours`;
const asClause = (sentence: string) => sentence.charAt(0).toLowerCase() + sentence.slice(1);

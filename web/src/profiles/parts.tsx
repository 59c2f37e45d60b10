import type { ReactNode } from 'react';
import { CopyButton } from '../controls/copy.tsx';
import { Icon } from '../controls/icons.tsx';
import type { Site } from '../desk/api.ts';
import { may, useSession } from '../desk/session.tsx';
import { zonedText } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';
import { deniedText } from '../organisation/denied.tsx';
import { Empty } from '../overview/states.tsx';
import { declaredDimension, valueText } from '../questions/dimensions.ts';
import { Shell } from '../shell/shell.tsx';
import type { Profile } from './api.ts';
import './profiles.css';

/** The frame of both pages, and what stands in it for those whose role does not include them. */
export function ProfilesFrame({ site, title, children }: { site: Site; title: string; children: ReactNode }) {
  const organisation = useSession().organisations.find(({ id }) => id === site.organisation_id);
  return (
    <Shell site={site.domain} title={title} skipTo="Skip to the profiles">
      <main className="wrap profiles" id="main" tabIndex={-1}>
        {organisation !== undefined && may(organisation, 'profile.read') ? (
          children
        ) : (
          <section className="panel" aria-label={title}>
            <Empty title={deniedText('profiles', organisation)}>
              Names and addresses of visitors stand in them. Owners and admins of this organisation see them.
            </Empty>
          </section>
        )}
      </main>
    </Shell>
  );
}

/** What somebody is called: by the best that was said, or by the last digits of a number that nobody has named. */
export function nameOf({ id, is_known, traits }: Pick<Profile, 'id' | 'is_known' | 'traits'>): string {
  if (!is_known) return `Visitor ${id.slice(-6)}`;
  return traits.name ?? traits.email ?? traits.id ?? `Profile ${id.slice(0, 6)}`;
}

/** What else is known, in one line under the name. */
export function besidesName({ is_known, traits }: Pick<Profile, 'is_known' | 'traits'>): string {
  if (!is_known) return 'not named';
  const said = [traits.name, traits.email, traits.id].filter((one) => one !== undefined);
  return said.length === 0 ? 'name can no longer be read' : said.slice(1).join(' · ');
}

/** Initials in place of a picture: one of another host would tell it who is looked at, and by whom. */
export function Initials({ of }: { of: Pick<Profile, 'is_known' | 'traits'> }) {
  const text = initialsOf(of.traits.name ?? of.traits.email ?? '');
  return (
    <span className={of.is_known ? 'pf-initials known' : 'pf-initials'} aria-hidden="true">
      {text === '' ? <Icon name="person" /> : text}
    </span>
  );
}

function initialsOf(text: string): string {
  const words = (text.split('@')[0] ?? '').split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '');
  return letters.join('').toLocaleUpperCase();
}

export const countryText = (code: string) => valueText(declaredDimension('country'), code);

export const momentIn = (iso: string, zone: string) =>
  zonedText(iso, zone, { dateStyle: 'medium', timeStyle: 'short' });

export const eventsText = (count: number) => `${exactCount(count)} ${count === 1 ? 'event' : 'events'}`;

/** A line of a page, to be copied. */
export function Line({ text }: { text: string }) {
  return (
    <div className="pf-line">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling block must be reachable by keyboard. */}
      <pre className="code" tabIndex={0}>
        {text}
      </pre>
      <CopyButton text={text} />
    </div>
  );
}

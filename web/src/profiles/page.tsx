import { useCallback, useState } from 'react';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { CallBox } from '../controls/call_box.tsx';
import { ComingRows } from '../controls/coming.tsx';
import { FormError } from '../controls/field.tsx';
import { Icon } from '../controls/icons.tsx';
import { asDeskError, type DeskError, type Site } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { exactCount } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { limits, type Profile, type ProfileList, profiles, profilesPath } from './api.ts';
import { besidesName, countryText, Initials, Line, momentIn, nameOf, ProfilesFrame } from './parts.tsx';

/** Whom does storage mode know here? Those of the last 30 days, or the one with an address or user id. */
export function ProfilesPage({ site }: { site: Site }) {
  return (
    <ProfilesFrame site={site} title="Profiles">
      <Profiles site={site} />
    </ProfilesFrame>
  );
}

function Profiles({ site }: { site: Site }) {
  // Not in the address, where the browser would keep it: it names somebody.
  const [search, setSearch] = useState('');
  const [words, setWords] = useState('');
  const find = (next: string) => {
    setWords(next);
    setSearch(next);
  };
  return (
    <>
      <p className="pf-lead">
        Visitors of storage mode of the last 30 days, by name where a page of this site has named them.
      </p>
      <search className="pf-search" aria-label="Find a profile">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            find(words.trim());
          }}
        >
          <span className="in">
            <Icon name="search" />
            <input
              type="search"
              aria-label="Whole e-mail address or user id"
              placeholder="Whole e-mail address or user id"
              maxLength={limits.searchChars}
              autoComplete="off"
              value={words}
              onChange={(event) => setWords(event.target.value)}
            />
          </span>
          <button type="submit" className="btn">
            Find
          </button>
        </form>
        {search !== '' && (
          <button type="button" className="btn quiet" onClick={() => find('')}>
            All visitors
          </button>
        )}
      </search>
      <Found key={search} site={site} search={search} onAll={() => find('')} />
    </>
  );
}

const heads = ['Visitor', 'Country', 'Browsers', 'Events', 'First seen', 'Last seen'];

function Found({ site, search, onAll }: { site: Site; search: string; onAll: () => void }) {
  const { answer, problem, reload, set } = useReading(
    useCallback(() => profiles.list(site.domain, search), [site.domain, search]),
  );
  return (
    <>
      <section className="panel pf-found" aria-label="Profiles">
        {problem !== undefined ? (
          <Failed {...problem} onRetry={reload} what="The profiles could not be read." />
        ) : answer === undefined ? (
          <ComingRows what="the profiles" heads={heads} rows={8} lines={2} />
        ) : answer.profiles.length > 0 ? (
          <Rows list={answer} site={site} isWhole={search === ''} onMore={set} />
        ) : search === '' ? (
          <Nobody site={site} />
        ) : (
          <Empty
            title="Nobody is found by this."
            action={
              <button type="button" className="btn sm" onClick={onAll}>
                All visitors
              </button>
            }
          >
            Only a whole address or user id finds somebody, never a part of one: they are kept as digests. Whoever was
            named and whose events are all gone is not found either.
          </Empty>
        )}
      </section>
      {answer !== undefined && <CallBox site={site.domain} call={{ method: 'GET', path: profilesPath(site.domain) }} />}
    </>
  );
}

function Rows({
  list,
  site,
  isWhole,
  onMore,
}: {
  list: ProfileList;
  site: Site;
  isWhole: boolean;
  onMore: (list: ProfileList) => void;
}) {
  const zone = site.timezone;
  const [refusal, setRefusal] = useState<DeskError>();
  async function more(before: string) {
    setRefusal(undefined);
    try {
      const page = await profiles.list(site.domain, '', before);
      // Somebody who came back meanwhile stands on both.
      const known = new Set(list.profiles.map(({ id }) => id));
      onMore({ ...page, profiles: [...list.profiles, ...page.profiles.filter(({ id }) => !known.has(id))] });
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  }
  return (
    <>
      <div className="list many">
        <table>
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head} scope="col" className={head === 'Browsers' || head === 'Events' ? 'num' : ''}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {list.profiles.map((one) => (
              <Row key={one.id} of={one} site={site.domain} zone={zone} />
            ))}
          </tbody>
        </table>
      </div>
      {isWhole && !list.profiles.some((one) => one.is_known) && (
        <div className="pf-unnamed">
          <p>
            <b>Nobody is named yet.</b> A page does that with one call:
          </p>
          <Line text={identifyCall} />
        </div>
      )}
      <footer>
        <span>
          {list.visitors === null
            ? ''
            : `${list.visitors === 1 ? '1 visitor' : `${exactCount(list.visitors)} visitors`} of storage mode in 30 days, each counted once. `}
          {list.restricted > 0
            ? `${list.restricted === 1 ? '1 browser is' : `${exactCount(list.restricted)} browsers are`} left out: the data of whoever uses them is restricted. `
            : ''}
          Each look is in the audit log. Times are those of {zone}.
        </span>
        {list.next !== null && (
          <button type="button" className="btn sm" onClick={() => void more(list.next as string)}>
            Show more
          </button>
        )}
        <FormError message={refusal?.message} reference={refusal?.reference} />
      </footer>
    </>
  );
}

function Row({ of, site, zone }: { of: Profile; site: string; zone: string }) {
  return (
    <tr>
      <td className="fill">
        <Link className="pf-who" href={pathOf({ page: 'profile', site, profile: of.id })}>
          <Initials of={of} />
          <span>
            <b className="cut" dir="auto">
              {nameOf(of)}
            </b>
            <span className="q cut" dir="auto">
              {besidesName(of)}
            </span>
          </span>
        </Link>
      </td>
      <td className="pf-country">{countryText(of.country)}</td>
      <td className="num" data-head="Browsers">
        {exactCount(of.browsers)}
      </td>
      <td className="num" data-head="Events">
        {exactCount(of.events)}
      </td>
      <td data-head="First seen">{momentIn(of.first_seen, zone)}</td>
      <td data-head="Last seen">{momentIn(of.last_seen, zone)}</td>
    </tr>
  );
}

const identifyCall = "fairlead('identify', { id: '1042', email: 'ada@mail.example' });";

/** Why there is nobody, and how that changes, step by step. */
function Nobody({ site }: { site: Site }) {
  return (
    <div className="pf-nobody">
      <p>
        <b>No visitor of storage mode in the last 30 days.</b> Every site begins in memory mode: a visitor’s number
        lasts a day at most, so there is nobody to make a profile of. Storage mode keeps a random number in the browser,
        with consent where that is needed, and knows its visitor on later days.
      </p>
      <ol>
        <li>
          <p>Add this to the tag of the snippet:</p>
          <Line text={'data-persistence="storage"'} />
        </li>
        <li>
          <p>
            Say when a visitor agrees, unless your consent tool does (Google’s consent mode, IAB TCF or GPP). In the
            EEA, the United Kingdom and Switzerland, and where the country is not known, nothing is stored before:
          </p>
          <Line text="fairlead('consent', true);" />
        </li>
        <li>
          <p>Visitors appear here as numbers. To name one, for example after they signed in:</p>
          <Line text={identifyCall} />
        </li>
      </ol>
      <Link className="btn sm" href={pathOf({ page: 'settings', site: site.domain, section: 'snippet' })}>
        Show the snippet
      </Link>
    </div>
  );
}

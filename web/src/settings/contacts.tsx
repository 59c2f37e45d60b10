import { useCallback, useState } from 'react';
import type { ContactClicks } from '../../../contract/api.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { CallBox } from '../controls/call_box.tsx';
import { ComingRows } from '../controls/coming.tsx';
import { CutPath } from '../controls/cut_path.tsx';
import { call, type Site } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { zonedText } from '../edge/reader.ts';
import { Empty, Failed } from '../overview/states.tsx';

type Click = ContactClicks['clicks'][number];

const heads = ['When', 'Page', 'Kind', 'Address or number'];
const kinds = { mail: 'Mail', phone: 'Phone' } as const;
const pathFor = (domain: string, isMasked: boolean) =>
  `/api/sites/${encodeURIComponent(domain)}/contact-clicks${isMasked ? '?masked=true' : ''}`;

/** Which addresses and numbers did visitors click on (rule R12)? Masked, until somebody wants to see them. */
export function ContactLinks({ site }: { site: Site }) {
  const [isMasked, setIsMasked] = useState(true);
  const { answer, problem, reload } = useReading(
    useCallback(() => call<ContactClicks>('GET', pathFor(site.domain, isMasked)), [site.domain, isMasked]),
  );
  const settings = pathOf({ page: 'settings', site: site.domain, section: 'site' });
  return (
    <div className="settings wide">
      <section aria-labelledby="contacts">
        <h2 id="contacts">What visitors clicked on</h2>
        <p>
          {site.contact_clicks
            ? 'Addresses and numbers of mail and phone links, the newest 1,000. They go with the events of their day. '
            : 'What was kept while "Keep addresses of mail and phone links" was on; it goes with the events of its day. '}
          Each look at the values is written into the audit log.
        </p>
        <div className="list many">
          {problem !== undefined ? (
            <Failed {...problem} onRetry={reload} what="The clicks could not be read." />
          ) : answer === undefined ? (
            <ComingRows what="the clicks" heads={heads} />
          ) : answer.clicks.length > 0 ? (
            <table>
              <thead>
                <tr>
                  {heads.map((head) => (
                    <th key={head} scope="col">
                      {head}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {answer.clicks.map((one, at) => (
                  <Row key={`${one.time} ${at}`} one={one} zone={site.timezone} />
                ))}
              </tbody>
            </table>
          ) : (
            <Empty
              title="Nothing is kept."
              action={
                <Link className="btn sm" href={settings}>
                  Site settings
                </Link>
              }
            >
              {site.contact_clicks
                ? 'Nobody has clicked on a mail or phone link since it was switched on, or nobody who agreed to it. The snippet needs data-contact.'
                : 'This site keeps the click and the mail domain alone. What is kept beyond that is switched on in its settings.'}
            </Empty>
          )}
        </div>
        {answer !== undefined && answer.clicks.length > 0 && (
          <div className="go">
            <button type="button" className="btn" onClick={() => setIsMasked(!isMasked)}>
              {isMasked ? 'Show the values' : 'Mask the values'}
            </button>
          </div>
        )}
      </section>
      <CallBox site={site.domain} call={{ method: 'GET', path: pathFor(site.domain, isMasked) }} />
    </div>
  );
}

function Row({ one, zone }: { one: Click; zone: string }) {
  return (
    <tr>
      <td>{zonedText(one.time, zone, { dateStyle: 'medium', timeStyle: 'short' })}</td>
      <td data-head="Page" className="some">
        <CutPath text={one.page} />
      </td>
      <td data-head="Kind">{one.kind === null ? '–' : kinds[one.kind]}</td>
      <td data-head="Address or number">
        {one.value ?? (
          <span className="q2">
            {one.kind === null ? 'opens no more: its key is gone' : 'not shown: their data is restricted'}
          </span>
        )}
      </td>
    </tr>
  );
}

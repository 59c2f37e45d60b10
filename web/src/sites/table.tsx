import { Fragment, useState } from 'react';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Sparkline } from '../charts/sparkline.tsx';
import { ChangeMark } from '../controls/change.tsx';
import { ComingCell } from '../controls/coming.tsx';
import type { Answer } from '../desk/answers.ts';
import { drawn, useAnswers } from '../desk/answers.ts';
import type { QueryRequest, Site } from '../desk/api.ts';
import { now } from '../edge/browser.ts';
import { cellNumber, change, exactCount, metricText } from '../numbers/format.ts';
import { localTime, resolveAgainst, resolvePeriod, stepLabels } from '../period/period.ts';
import { rangeText } from '../period/words.ts';
import { leavingDay } from '../shell/leaving_site.tsx';
import { Tile } from '../shell/site_switcher.tsx';

/** One batch takes 20 questions and a site needs three, so sites are asked for in portions. */
const sitesPerBatch = 6;

/** Sites under the name of their organisation; without a name where there is one organisation only. */
export interface SiteGroup {
  name: string | undefined;
  sites: readonly Site[];
}

/** Each site with who is there now, the last seven days, and how they moved. */
export function SitesTable({ groups }: { groups: readonly SiteGroup[] }) {
  return (
    <>
      <div className="sites">
        <table>
          <thead>
            <tr>
              <th scope="col">Site</th>
              <th scope="col" className="num">
                Now
              </th>
              <th scope="col" className="lo">
                7 days, own scale
              </th>
              <th scope="col" className="num">
                Visitors
              </th>
              <th scope="col" className="num">
                Change
              </th>
            </tr>
          </thead>
          {groups.map((group) => (
            <Fragment key={group.name ?? ''}>
              {group.name !== undefined && (
                <tbody>
                  <tr>
                    <th scope="rowgroup" colSpan={5}>
                      {group.name}
                    </th>
                  </tr>
                </tbody>
              )}
              {portionsOf(group.sites).map((portion) => (
                <SiteRows key={portion[0]?.id} sites={portion} />
              ))}
            </Fragment>
          ))}
        </table>
      </div>
      <p className="fresh">
        <span>
          Visitors are those of the last seven days up to now, against the seven before up to the same time, each site
          in its own timezone. Now is who had an event in the last five minutes.
        </span>
      </p>
    </>
  );
}

function portionsOf(sites: readonly Site[]): Site[][] {
  const portions: Site[][] = [];
  for (let at = 0; at < sites.length; at += sitesPerBatch) portions.push(sites.slice(at, at + sitesPerBatch));
  return portions;
}

function SiteRows({ sites }: { sites: readonly Site[] }) {
  const [moment] = useState(now);
  const questions: Record<string, QueryRequest> = {};
  for (const site of sites) {
    const local = localTime(moment, site.timezone);
    const range = resolvePeriod({ kind: 'preset', preset: '7d' }, local.day, local.day);
    const before = resolveAgainst(range, { kind: 'before' }, true) ?? range;
    questions[`${site.id} week`] = {
      site_id: site.domain,
      metrics: ['visitors'],
      date_range: [range.from, range.to],
      include: {
        imports: true,
        comparisons: {
          mode: 'custom',
          date_range: [`${before.from}T00:00:00`, `${before.to}T${local.time.slice(0, 5)}:59`],
        },
      },
    };
    questions[`${site.id} days`] = {
      site_id: site.domain,
      metrics: ['visitors'],
      date_range: [range.from, range.to],
      dimensions: ['time:day'],
      include: { imports: true },
    };
    questions[`${site.id} now`] = { site_id: site.domain, metrics: ['visitors'], date_range: 'realtime' };
  }
  const { answers } = useAnswers(questions);
  return (
    <tbody>
      {sites.map((site) => {
        const week = answers[`${site.id} week`] as Answer;
        const row = drawn(week)?.results[0];
        const live = answers[`${site.id} now`] as Answer;
        const here = cellNumber(drawn(live)?.results[0]?.metrics[0]);
        const local = localTime(moment, site.timezone);
        const range = resolvePeriod({ kind: 'preset', preset: '7d' }, local.day, local.day);
        const days = drawn(answers[`${site.id} days`] as Answer);
        const byDay = new Map(
          (days?.results ?? []).map((result) => [result.dimensions[0], cellNumber(result.metrics[0]) ?? 0]),
        );
        const values = stepLabels(range, 'day').map((day) => byDay.get(day) ?? 0);
        return (
          <tr key={site.id}>
            <td>
              <Link href={pathOf({ page: 'analytics', site: site.domain })}>
                <Tile name={site.domain} />
                <span className="cut">
                  {site.domain}
                  {site.deletes_at !== null && (
                    <>
                      {' '}
                      <span className="tag">deleted on {leavingDay(site.deletes_at, site.timezone)}</span>
                    </>
                  )}
                </span>
              </Link>
            </td>
            <td className="num">
              {here === null ? live.state === 'failed' ? 'not read' : <ComingCell /> : exactCount(here)}
            </td>
            <td className="lo">
              {days === undefined ? (
                <ComingCell />
              ) : (
                <Sparkline
                  values={values}
                  top={Math.max(...values)}
                  running
                  label={`Visitors per day, ${rangeText(range, local.day)}: ${values.join(', ')}`}
                />
              )}
            </td>
            <td className="num">
              {row === undefined ? (
                week.state === 'failed' ? (
                  'not read'
                ) : (
                  <ComingCell />
                )
              ) : (
                metricText('visitors', row.metrics[0], { exact: true })
              )}
            </td>
            <td className="num">
              {row !== undefined && (
                <ChangeMark change={change('visitors', row.metrics[0], row.comparison?.metrics[0])} />
              )}
            </td>
          </tr>
        );
      })}
    </tbody>
  );
}

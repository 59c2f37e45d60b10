import { useState } from 'react';
import type { Share } from '../../../contract/shares.ts';
import { Dialog } from '../controls/dialog.tsx';
import type { Site } from '../desk/api.ts';
import { now } from '../edge/browser.ts';
import { exactCount } from '../numbers/format.ts';
import { localTime } from '../period/period.ts';
import { dayText } from '../period/words.ts';
import { kindWords, panelWords, periodWords, previewPath } from './words.ts';

type Asked = { share: Share; act: 'revoke' | 'replace' };

/** Each share with what it shows, how often it was opened, and what can be done with it. */
export function ShareRows({
  shares,
  site,
  onRevoke,
  onReplace,
  onChange,
}: {
  shares: readonly Share[];
  site: Site;
  onRevoke: (share: Share) => Promise<void>;
  onReplace: (share: Share) => Promise<void>;
  onChange: (share: Share) => void;
}) {
  const [asked, setAsked] = useState<Asked>();
  const today = localTime(now(), site.timezone).day;
  return (
    <>
      <table className="shr-table">
        <thead>
          <tr>
            <th scope="col">Share</th>
            <th scope="col" className="num">
              Views, 30 days
            </th>
            <th scope="col">Last opened</th>
            <th scope="col">Ends</th>
          </tr>
        </thead>
        <tbody>
          {shares.map((share) => (
            <tr key={share.id} className={share.expired ? 'over' : ''}>
              <td className="shr-what">
                <b dir="auto">{share.name}</b> <span className="tag">{kindWords[share.kind].label}</span>
                <span className="q">
                  {share.panels.map((panel) => panelWords[panel]).join(', ')} ·{' '}
                  {share.periods.map((period) => periodWords[period]).join(', ')}
                  {share.hosts.length > 0 && <> · in pages of {share.hosts.join(', ')}</>}
                </span>
                <span className="q">
                  Made {dayText(share.created_at.slice(0, 10), today)}
                  {share.created_by === null ? '' : ` by ${share.created_by}`}
                </span>
                <span className="shr-acts">
                  <a
                    className="btn quiet sm"
                    href={previewPath(site.domain, share)}
                    target="_blank"
                    rel="noreferrer"
                    aria-label={`Preview ${share.name}`}
                  >
                    Preview
                  </a>
                  <button
                    type="button"
                    className="btn quiet sm"
                    aria-label={`Change ${share.name}`}
                    onClick={() => onChange(share)}
                  >
                    Change
                  </button>
                  <button
                    type="button"
                    className="btn quiet sm"
                    aria-label={`New link for ${share.name}`}
                    onClick={() => setAsked({ share, act: 'replace' })}
                  >
                    New link
                  </button>
                  <button
                    type="button"
                    className="btn quiet danger sm"
                    aria-label={`Revoke ${share.name}`}
                    onClick={() => setAsked({ share, act: 'revoke' })}
                  >
                    Revoke
                  </button>
                </span>
              </td>
              <td className="num" data-head="Views, 30 days">
                {exactCount(share.views_30_days)}
              </td>
              <td data-head="Last opened">
                {share.last_opened_on === null ? 'never' : dayText(share.last_opened_on, today)}
              </td>
              <td data-head="Ends">
                {share.expired ? (
                  <span className="tag">Ended {dayText(share.expires_on ?? today, today)}</span>
                ) : share.expires_on === null ? (
                  'when revoked'
                ) : (
                  dayText(share.expires_on, today, { year: true })
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {asked !== undefined && (
        <Confirm
          asked={asked}
          onNo={() => setAsked(undefined)}
          onYes={async () => {
            setAsked(undefined);
            await (asked.act === 'revoke' ? onRevoke : onReplace)(asked.share);
          }}
        />
      )}
    </>
  );
}

function Confirm({ asked: { share, act }, onNo, onYes }: { asked: Asked; onNo: () => void; onYes: () => void }) {
  const seen =
    share.views_30_days === 0
      ? 'Nobody opened it in the last 30 days.'
      : `It was opened ${share.views_30_days === 1 ? 'once' : `${exactCount(share.views_30_days)} times`} in the last 30 days.`;
  const label = act === 'revoke' ? `Revoke “${share.name}”?` : `Make a new link for “${share.name}”?`;
  return (
    <Dialog label={label} className="small" onClose={onNo}>
      <div className="dialog-head">
        <h2>{label}</h2>
      </div>
      <p className="q2">
        {act === 'revoke'
          ? `Its link opens nothing from now on, and cannot be brought back. ${seen}`
          : `The link before opens nothing from now on: send the new one to whoever should go on seeing it. ${seen}`}
      </p>
      <div className="editor-foot">
        <button type="button" className={act === 'revoke' ? 'btn danger' : 'btn main-act'} onClick={onYes}>
          {act === 'revoke' ? 'Revoke the share' : 'Make a new link'}
        </button>
        <button type="button" className="btn quiet" onClick={onNo}>
          Keep it
        </button>
      </div>
    </Dialog>
  );
}

import { useCallback, useState } from 'react';
import type { MadeShare, Share, ShareList } from '../../../contract/shares.ts';
import { ComingRows } from '../controls/coming.tsx';
import { FormError } from '../controls/field.tsx';
import { takeFocus } from '../controls/take_focus.ts';
import type { DeskError, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import { may, useSession } from '../desk/session.tsx';
import { exactCount } from '../numbers/format.ts';
import { deniedText } from '../organisation/denied.tsx';
import { Empty, Failed } from '../overview/states.tsx';
import { SettingsTabs, Shell } from '../shell/shell.tsx';
import { ShareForm } from './form.tsx';
import { Made } from './made.tsx';
import { ShareRows } from './rows.tsx';
import './shares.css';

/** Who sees this site from outside? The links and widgets, and one form for a new one. */
export function SharesPage({ site }: { site: Site }) {
  const organisation = useSession().organisations.find(({ id }) => id === site.organisation_id);
  const allowed = organisation !== undefined && may(organisation, 'share.manage');
  return (
    <Shell site={site.domain} title="Shares" skipTo="Skip to the shares">
      <SettingsTabs site={site.domain} />
      <main className="wrap shares" id="main" tabIndex={-1}>
        {allowed ? (
          <Shares site={site} />
        ) : (
          <section className="panel" aria-label="Shares">
            <Empty title={deniedText('shares', organisation)}>
              A share shows numbers of this site to people outside. Owners and admins of this organisation make them.
            </Empty>
          </section>
        )}
      </main>
    </Shell>
  );
}

function Shares({ site }: { site: Site }) {
  const { answer, problem, reload } = useReading(useCallback(() => api.shares(site.domain), [site.domain]));
  const [made, setMade] = useState<MadeShare>();
  const [changing, setChanging] = useState<Share>();
  const [changed, setChanged] = useState<Share>();
  const [refusal, setRefusal] = useState<DeskError>();

  const onMade = (share: MadeShare) => {
    setMade(share);
    setChanged(undefined);
    setRefusal(undefined);
    reload();
  };
  const change = (share: Share | undefined) => {
    setChanging(share);
    setChanged(undefined);
  };
  const onChanged = (share: Share) => {
    setChanging(undefined);
    setChanged(share);
    reload();
  };
  const act = async (work: Promise<unknown>) => {
    setRefusal(undefined);
    try {
      await work;
      reload();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  const revoke = (share: Share) => {
    if (made?.share.id === share.id) setMade(undefined);
    if (changing?.id === share.id) setChanging(undefined);
    setChanged(undefined);
    return act(api.revokeShare(site.domain, share.id));
  };
  const replace = async (share: Share) => act(api.replaceShareLink(site.domain, share.id).then(setMade));

  return (
    <>
      <p className="shr-answer">{answer === undefined ? problem === undefined ? '…' : '' : <Answer list={answer} />}</p>
      {made !== undefined && <Made key={made.link} made={made} site={site} onHide={() => setMade(undefined)} />}
      {changed !== undefined && (
        <p className="note ok reached" role="status" ref={takeFocus} tabIndex={-1} key={changed.id}>
          <span>
            <b>“{changed.name}” is saved.</b> Its link is the same, and shows this from the next view on.
          </span>
        </p>
      )}
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <div className="shr-columns">
        <section className="panel shr-list" aria-label="Shares">
          <header>
            <h2>Shares</h2>
          </header>
          {problem !== undefined ? (
            <Failed {...problem} onRetry={reload} what="The shares could not be read." />
          ) : answer === undefined ? (
            <ComingRows
              what="the shares"
              heads={['Share', 'Views, 30 days', 'Last opened', 'Ends']}
              rows={3}
              lines={2}
            />
          ) : answer.shares.length === 0 ? (
            <Empty title="Nobody outside sees this site.">
              A share is a page of the panels that you choose: for a client, a board, or readers of your own pages.
              Nothing can be asked of it beyond them.
            </Empty>
          ) : (
            <ShareRows shares={answer.shares} site={site} onRevoke={revoke} onReplace={replace} onChange={change} />
          )}
          {answer !== undefined && answer.shares.length > 0 && (
            <footer>
              <span>
                {answer.shares.length} of {answer.limits.shares}. Views count how often a page was opened, and nothing
                of who did.
              </span>
            </footer>
          )}
        </section>
        {(answer !== undefined || problem !== undefined) && (
          <ShareForm
            key={changing?.id ?? 'new'}
            site={site}
            {...(changing === undefined ? {} : { share: changing })}
            onMade={onMade}
            onChanged={onChanged}
            onCancel={() => change(undefined)}
          />
        )}
      </div>
    </>
  );
}

function Answer({ list: { shares } }: { list: ShareList }) {
  const open = shares.filter(({ expired }) => !expired);
  const views = open.reduce((sum, share) => sum + share.views_30_days, 0);
  if (open.length === 0) return <>No link of this site opens anything.</>;
  return (
    <>
      <b>{open.length}</b> {open.length === 1 ? 'share shows' : 'shares show'} numbers of this site to people outside:{' '}
      <b>{exactCount(views)}</b> {views === 1 ? 'view' : 'views'} in the last 30 days.
    </>
  );
}

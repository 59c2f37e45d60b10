import { useCallback, useEffect, useState } from 'react';
import { contentKinds } from '../../../contract/site_kinds.ts';
import { Dialog } from '../controls/dialog.tsx';
import { FormError } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { useDesk } from '../desk/session.tsx';
import { readerDay, readerToday } from '../edge/reader.ts';
import { Failed } from '../overview/states.tsx';
import { dayText } from '../period/words.ts';
import { Contents } from '../settings/contents.tsx';
import '../settings/life.css';
import type { SiteContent, SiteMove } from '../settings/life_wire.ts';
import { siteLives } from '../settings/life_wire.ts';

/** What ends with a move: it opens the site to somebody of the organisation that gives it, or was made for them. */
const endKinds: readonly string[] = ['exports', 'shares', 'reports', 'teams', 'keys'];
const alongKinds = contentKinds.filter((kind) => !endKinds.includes(kind));

/** Sites that another organisation offers to this one. Nothing where there are none: they are rare. */
export function OfferedSites({ organisation }: { organisation: Organisation }) {
  const { enter } = useDesk();
  const { id } = organisation;
  const [moves, setMoves] = useState<SiteMove[]>([]);
  const [looking, setLooking] = useState<{ move: SiteMove; contents: SiteContent[] }>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [unread, setUnread] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const load = useCallback(() => {
    siteLives.offered(id).then(
      ({ received }) => {
        setMoves(received.filter(({ state }) => state === 'offered'));
        setUnread(undefined);
      },
      (error: unknown) => setUnread(asDeskError(error)),
    );
  }, [id]);
  useEffect(load, [load]);
  const today = readerToday();

  const look = async (move: SiteMove) => {
    setRefusal(undefined);
    try {
      setLooking(await siteLives.contentsOfMove(id, move.id));
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  const decide = async (move: SiteMove, work: typeof siteLives.accept) => {
    setSending(true);
    try {
      await work(id, move.id);
      setLooking(undefined);
      load();
      await enter();
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setSending(false);
    }
  };

  return (
    <>
      {unread !== undefined && (
        <div className="list unread-offers">
          <Failed
            code={unread.code}
            message={unread.message}
            reference={unread.reference}
            onRetry={load}
            what="Whether sites are offered to you could not be read."
          />
        </div>
      )}
      {looking === undefined && <FormError message={refusal?.message} reference={refusal?.reference} />}
      {moves.map((move) => (
        <div key={move.id} className="note" role="status">
          <div className="offer">
            <p>
              <b>
                {move.from} offers you {move.site}.
              </b>{' '}
              The offer ends on {dayText(readerDay(move.expires_at), today)}.
            </p>
            <button type="button" className="btn sm" onClick={() => void look(move)}>
              Look at it<span className="vh">: {move.site}</span>
            </button>
          </div>
        </div>
      ))}
      {looking !== undefined && (
        <Dialog label="A site that is offered" className="small" onClose={() => setLooking(undefined)}>
          <h2>
            Take {looking.move.site} into {organisation.name}?
          </h2>
          <p>
            From then on it belongs to {organisation.name}, and {looking.move.from} sees nothing of it. Its shares,
            reports by mail, exports and keys end. This comes along:
          </p>
          <Contents contents={looking.contents} today={today} kinds={alongKinds} />
          <FormError message={refusal?.message} reference={refusal?.reference} />
          <div className="editor-foot">
            <button
              type="button"
              className="btn main-act"
              {...resting(sending)}
              onClick={() => void decide(looking.move, siteLives.accept)}
            >
              Take the site
            </button>
            <button
              type="button"
              className="btn quiet"
              {...resting(sending)}
              onClick={() => void decide(looking.move, siteLives.refuse)}
            >
              Refuse the offer
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

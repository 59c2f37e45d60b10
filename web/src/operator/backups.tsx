import { useCallback, useState } from 'react';
import type { BackupRun, BackupState, MadeRecoveryKey } from '../../../contract/backups.ts';
import { ProveDialog } from '../account/prove_dialog.tsx';
import { useAccount } from '../account/use_account.tsx';
import { AskFirst } from '../controls/ask_first.tsx';
import { ComingRows } from '../controls/coming.tsx';
import { CopyButton } from '../controls/copy.tsx';
import { Fact } from '../controls/fact.tsx';
import { FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import { takeFocus } from '../controls/take_focus.ts';
import { asDeskError, type DeskError } from '../desk/api.ts';
import { useWhileVisible } from '../desk/live.ts';
import { bytes, exactCount } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { timeText } from '../period/words.ts';
import { operator } from './api.ts';

/** While one is made, and for what the clock begins. */
const lookMs = 2_000;
const restMs = 30_000;

/** Is there a copy of the desk, how old is it, and who can open it? */
export function Backups() {
  const [state, setState] = useState<BackupState>();
  const [problem, setProblem] = useState<DeskError>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [made, setMade] = useState<MadeRecoveryKey>();
  const [doing, setDoing] = useState<'key' | 'release'>();
  const load = useCallback(async () => {
    try {
      setState(await operator.backups());
      setProblem(undefined);
    } catch (error) {
      setProblem(asDeskError(error));
    }
  }, []);
  useWhileVisible(load, () => (state?.is_running === true ? lookMs : restMs), [load, state?.is_running]);
  async function begin() {
    setRefusal(undefined);
    try {
      await operator.backUp();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
    await load();
  }
  if (state === undefined)
    return (
      <section className="panel" aria-label="Backups" aria-busy={problem === undefined}>
        {problem === undefined ? (
          <ComingRows what="the backups" rows={5} />
        ) : (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={() => void load()}
            what="The backups could not be read."
          />
        )}
      </section>
    );
  const newest = state.files[0];
  return (
    <>
      <div className="op-top">
        <p className="op-lead">
          A backup is a copy of everything that this desk cannot make anew, in files that open with the recovery key
          alone. <code>fairlead restore</code> makes the desk out of them on an empty machine.
        </p>
        {state.is_ours && state.recovery_key !== null && (
          <button
            type="button"
            className="btn"
            {...resting(state.is_running)}
            onClick={() => state.is_running || void begin()}
          >
            {state.is_running ? 'Making a backup…' : 'Back up now'}
          </button>
        )}
      </div>
      <FormError message={refusal?.message} reference={refusal?.reference} />
      {made !== undefined && <NewKey made={made} onHide={() => setMade(undefined)} />}
      {state.restored_at !== null && state.released_at === null && (
        <Held state={state} onRelease={() => setDoing('release')} />
      )}
      {!state.is_ours ? (
        <section className="panel" aria-label="Backups">
          <Empty title="This desk uses database servers of its own.">
            Back those up with their own tools, and keep a copy of the key file. What is here copies the built-in ones.
          </Empty>
        </section>
      ) : state.recovery_key === null ? (
        <section className="panel" aria-label="Backups">
          <Empty title="No backup is made yet.">
            <p>The first step is the recovery key: it is shown once, and you keep it away from this machine.</p>
            <div className="go">
              <button type="button" className="btn main-act" onClick={() => setDoing('key')}>
                Make the recovery key
              </button>
            </div>
          </Empty>
        </section>
      ) : (
        <section className="panel op-facts" aria-label="How it is backed up">
          <h2 className="op-head">
            <Glyph state={newest === undefined ? 'idle' : 'ok'} />
            {newest === undefined ? 'There is no backup yet' : 'The newest backup'}
            {newest !== undefined && <time dateTime={newest.made_at}>{timeText(newest.made_at)}</time>}
          </h2>
          <dl>
            <Fact name="Made">
              {state.hour === null
                ? 'by hand only: the daily one is switched off'
                : `every day at ${String(state.hour).padStart(2, '0')}:00 UTC`}
            </Fact>
            <Fact name="Kept">{state.days === 1 ? 'one day' : `${exactCount(state.days)} days`}</Fact>
            <Fact name="Folder">
              <code>{state.folder}</code>
            </Fact>
            {state.store !== null && (
              <Fact name="Object store">
                <code>{state.store}</code>
              </Fact>
            )}
            <Fact name="Recovery key">
              <span>
                <code>{state.recovery_key.name}</code>, made {timeText(state.recovery_key.made_at)}{' '}
                <button type="button" className="link" onClick={() => setDoing('key')}>
                  Make a new one
                </button>
              </span>
            </Fact>
          </dl>
          {state.store === null && (
            <p className="q2">
              A folder on this machine does not help when the machine is lost: name an object store in
              FAIRLEAD_BACKUP_S3_URL, set FAIRLEAD_BACKUP_DIR to another disk, or copy the folder elsewhere every day.
            </p>
          )}
        </section>
      )}
      {state.runs.length > 0 && <Runs runs={state.runs} />}
      {doing === 'key' && (
        <KeyDialog
          isNew={state.recovery_key !== null}
          onClose={() => setDoing(undefined)}
          onMade={(key) => {
            setMade(key);
            setDoing(undefined);
            void load();
          }}
        />
      )}
      {doing === 'release' && (
        <AskFirst
          title="Let the mail of this desk go?"
          act="Let it go"
          keep="Hold it"
          onAct={async () => {
            await operator.releaseMail();
            setDoing(undefined);
            await load();
          }}
          onClose={() => setDoing(undefined)}
        >
          What was waiting at the backup may have been sent since then. It goes out now, and so does everything that is
          written from now on.
        </AskFirst>
      )}
    </>
  );
}

function NewKey({ made, onHide }: { made: MadeRecoveryKey; onHide: () => void }) {
  return (
    <div className="note ok reached" role="status" ref={takeFocus} tabIndex={-1}>
      <div>
        <b>The recovery key {made.name} is ready.</b> This is the only time it is shown. Write it down and keep it away
        from this machine: whoever has it and a backup has the whole desk, and without it no backup opens.
        <div className="secret">
          <code>{made.key}</code>
          <CopyButton text={made.key} label="Copy the recovery key" />
        </div>
        <button type="button" className="link" onClick={onHide}>
          I have it, hide it
        </button>
      </div>
    </div>
  );
}

function KeyDialog({
  isNew,
  onClose,
  onMade,
}: {
  isNew: boolean;
  onClose: () => void;
  onMade: (made: MadeRecoveryKey) => void;
}) {
  const { account } = useAccount();
  if (account === undefined) return null;
  return (
    <ProveDialog
      account={account}
      title={isNew ? 'Make a new recovery key?' : 'Make the recovery key'}
      act="Make the key"
      keep={isNew ? 'Keep the present one' : 'Not now'}
      onProve={async (password) => onMade(await operator.newRecoveryKey(password))}
      onClose={onClose}
    >
      {isNew
        ? 'Backups from now on open with the new key. Those that were made before open with the one before: keep it as long as you keep them.'
        : 'It opens every backup of this desk, and nothing else does. The desk keeps only the half that seals.'}
    </ProveDialog>
  );
}

function Held({ state, onRelease }: { state: BackupState; onRelease: () => void }) {
  const messages = state.held.reduce((sum, one) => sum + one.messages, 0);
  return (
    <div className="note warn">
      <div>
        <b>This desk was restored {timeText(state.restored_at)}: its mail is held.</b>{' '}
        {messages === 0
          ? 'Nothing was waiting at the backup.'
          : 'What was waiting at the backup may have been sent since then:'}
        {state.held.length > 0 && (
          <ul className="op-held">
            {state.held.map(({ template, messages: count, oldest }) => (
              <li key={template}>
                {exactCount(count)} × {template.replaceAll('_', ' ')}, the oldest of {timeText(oldest)}
              </li>
            ))}
          </ul>
        )}
        <button type="button" className="btn sm" onClick={onRelease}>
          Let the mail go
        </button>
      </div>
    </div>
  );
}

const heads = ['Begun', 'What', 'How it ended', 'Size', 'Took'];
const kinds: Record<BackupRun['kind'], string> = { whole: 'Whole desk', keys: 'Key store' };
const words: Record<BackupRun['state'], [state: 'ok' | 'idle' | 'bad' | 'off', text: string]> = {
  running: ['idle', 'is being made'],
  done: ['ok', 'read back whole'],
  failed: ['bad', 'failed'],
  removed: ['off', 'removed, its days were over'],
};
/** Of the copy in the object store. */
const there: Record<NonNullable<BackupRun['remote_state']>, [state: 'ok' | 'idle' | 'bad' | 'off', text: string]> = {
  sending: ['idle', 'is being sent to the object store'],
  done: ['ok', 'in the object store'],
  failed: ['bad', 'not in the object store'],
  removed: ['off', 'removed from the object store'],
};

function Runs({ runs }: { runs: BackupRun[] }) {
  return (
    <section className="panel op-runs" aria-labelledby="runs">
      <h2 className="op-head" id="runs">
        Runs
      </h2>
      <div className="list many">
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
            {runs.map((run) => (
              <tr key={run.id}>
                <td>
                  <time dateTime={run.began_at}>{timeText(run.began_at)}</time>
                </td>
                <td data-head="What">{kinds[run.kind]}</td>
                <td className="some" data-head="How it ended">
                  <span className={`st ${run.state === 'failed' ? 'bad' : ''}`}>
                    <Glyph state={words[run.state][0]} />
                    {words[run.state][1]}
                  </span>
                  {run.problem !== null && <div className="q2">{run.problem}</div>}
                  {run.remote_state !== null && (
                    <div>
                      <span className={`st ${run.remote_state === 'failed' ? 'bad' : ''}`}>
                        <Glyph state={there[run.remote_state][0]} />
                        {there[run.remote_state][1]}
                      </span>
                      {run.remote_problem !== null && <div className="q2">{run.remote_problem}</div>}
                    </div>
                  )}
                </td>
                <td data-head="Size">{run.bytes === null ? '–' : bytes(run.bytes)}</td>
                <td data-head="Took">
                  {run.ended_at === null ? '–' : tookText(Date.parse(run.ended_at) - Date.parse(run.began_at))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function tookText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

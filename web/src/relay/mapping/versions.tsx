import { useCallback } from 'react';
import type { RelaySource } from '../../../../contract/relay_settings.ts';
import { Refusal, useAsk } from '../../account/use_account.tsx';
import { ComingRows } from '../../controls/coming.tsx';
import { Dialog } from '../../controls/dialog.tsx';
import { Icon } from '../../controls/icons.tsx';
import { resting } from '../../controls/resting.ts';
import type { Site } from '../../desk/api.ts';
import { useReading } from '../../desk/reading.ts';
import type { Organisation } from '../../desk/session.tsx';
import { Empty, Failed } from '../../overview/states.tsx';
import { relayOf } from '../api.ts';
import { momentText } from '../words.ts';

/** Every version of a mapping: who saved it and why, its file, and the way back to it. */
export function Versions({
  organisation,
  source,
  site,
  mayChange,
  onRestored,
  onClose,
}: {
  organisation: Organisation;
  source: RelaySource;
  site: Site;
  mayChange: boolean;
  onRestored: () => void;
  onClose: () => void;
}) {
  const relay = relayOf(organisation.id);
  const { answer, problem, reload } = useReading(
    useCallback(() => relayOf(organisation.id).mappings(source.id), [organisation.id, source.id]),
  );
  const ask = useAsk();
  return (
    <Dialog label="Versions of the mapping" className="small mp-versions" onClose={onClose}>
      <div className="dialog-head">
        <h2>Versions</h2>
        <button type="button" className="btn quiet icon" aria-label="Close the versions" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      {problem !== undefined ? (
        <Failed {...problem} onRetry={reload} what="The versions could not be read." />
      ) : answer === undefined ? (
        <ComingRows what="the versions" lines={2} />
      ) : answer.versions.length === 0 ? (
        <Empty title="No version yet.">The first is there once you save.</Empty>
      ) : (
        <ul className="rl-rows">
          {answer.versions.map((one) => (
            <li key={one.version}>
              <div className="rl-what">
                <b>
                  Version {one.version}
                  {one.in_force ? ', in force' : ''}
                </b>
                <span className="q">
                  {one.note === null ? '' : `${one.note} · `}
                  {one.fields} fields · {momentText(one.created_at, site.timezone)}
                  {one.created_by === null ? '' : ` · ${one.created_by}`}
                </span>
              </div>
              <div className="rl-acts">
                <a className="btn quiet sm" href={relay.mappingFile(source.id, one.version)} download>
                  JSON
                </a>
                {mayChange && !one.in_force && (
                  <button
                    type="button"
                    className="btn quiet sm"
                    {...(ask.asking
                      ? resting(true)
                      : {
                          onClick: async () => {
                            const done = await ask.ask(() =>
                              relay.restoreMapping(source.id, one.version, source.mapping_version),
                            );
                            if (done !== undefined) onRestored();
                          },
                        })}
                  >
                    Restore
                  </button>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
      <Refusal of={ask} />
    </Dialog>
  );
}

import type { ShieldKind, ShieldList } from '../../../contract/shields.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import type { Shield, Site } from '../desk/api.ts';
import { zonedText } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';
import { Empty } from '../overview/states.tsx';
import { kinds, shownValue } from './kinds.ts';

/** Rules by kind; each kind has a count, because the desk counts what it drops by reason. */
export function Rules({ list, site, onRemove }: { list: ShieldList; site: Site; onRemove?: (shield: Shield) => void }) {
  const dropped = (kind: ShieldKind) => list.week?.dropped.find((one) => one.kind === kind);
  const groups = kinds
    .map((words) => ({ ...words, rules: list.shields.filter(({ kind }) => kind === words.kind) }))
    .filter(({ kind, rules }) => rules.length > 0 || (dropped(kind)?.events ?? 0) > 0);
  if (groups.length === 0)
    return (
      <Empty title="No shields yet.">
        Everything that arrives is counted, apart from robots and known spammers. Most sites begin with their own
        traffic, and with the pages of their own staff, such as /admin/**.
      </Empty>
    );
  return (
    <table>
      <thead className="vh">
        <tr>
          <th scope="col">Rule</th>
          <th scope="col">Dropped in 7 days, or what to do</th>
        </tr>
      </thead>
      {groups.map(({ kind, group, rules }) => {
        const counted = dropped(kind);
        return (
          <tbody key={kind}>
            <tr className="sh-group">
              <th scope="rowgroup">{group}</th>
              <td className="num">
                {counted === undefined ? (
                  '–'
                ) : counted.events === 0 ? (
                  '0'
                ) : (
                  <Link
                    className="link"
                    aria-label={`${exactCount(counted.events)} dropped: see when`}
                    href={`${pathOf({ page: 'missing', site: site.domain })}?reason=${counted.reason}`}
                  >
                    {exactCount(counted.events)}
                  </Link>
                )}
              </td>
            </tr>
            {rules.length === 0 && (
              <tr className="sh-row">
                <td className="sh-rule" colSpan={2}>
                  <span className="q">
                    {kind === 'rate'
                      ? 'This site has no limit of its own: the operator’s dropped these.'
                      : 'There is no such rule now.'}
                  </span>
                </td>
              </tr>
            )}
            {rules.map((rule) => (
              <tr key={rule.id} className="sh-row">
                <td className="sh-rule">
                  <Value rule={rule} />
                  <span className="q">
                    Added {addedText(rule, site.timezone)}
                    {rule.added_by === null ? '' : ` by ${rule.added_by}`}
                  </span>
                </td>
                <td className="num">
                  {onRemove !== undefined && (
                    <button
                      type="button"
                      className="btn quiet sm"
                      aria-label={`Remove ${shownValue(rule.kind, rule.value) ?? rule.note}`}
                      onClick={() => onRemove(rule)}
                    >
                      Remove
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        );
      })}
    </table>
  );
}

function Value({ rule: { kind, value, note } }: { rule: Shield }) {
  const shown = shownValue(kind, value);
  if (shown === undefined)
    return (
      <span>
        <b>{note}</b> <span className="tag">one address, as a digest</span>
      </span>
    );
  const plain = kind === 'country' || kind === 'rate';
  return (
    <span>
      {plain ? <b>{shown}</b> : <code>{shown}</code>} {note !== '' && <span className="sh-note">{note}</span>}
    </span>
  );
}

function addedText({ added_at }: Shield, timezone: string): string {
  return zonedText(added_at, timezone, { day: 'numeric', month: 'short', year: 'numeric' });
}

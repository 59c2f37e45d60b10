import { useCallback, useState } from 'react';
import { Glyph } from '../controls/icons.tsx';
import { may, type Organisation } from '../desk/session.tsx';
import { momentText } from '../edge/reader.ts';
import { useRead, WindowsFrame } from '../windows/parts.tsx';
import { type BasesAnswer, type Cell, type ConsentRecord, consent, type PurposeRow } from './api.ts';
import { BasisForm } from './basis_form.tsx';
import { basisWords, regionWords, stateWords, wayWords } from './words.ts';

/** What rests on which basis, and what was agreed? */
export function ConsentPage({ organisation }: { organisation: Organisation }) {
  return (
    <WindowsFrame organisation={organisation} title="Consent" what="purposes and consents">
      <Bases organisation={organisation} />
      <Records organisation={organisation} />
    </WindowsFrame>
  );
}

const heads = ['Purpose', ...Object.values(regionWords)];

function Bases({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { answer, set, instead } = useRead(
    useCallback(() => consent.bases(id), [id]),
    'purposes and bases',
    heads,
  );
  const [changing, setChanging] = useState<PurposeRow>();
  if (answer === undefined) return <section className="panel list many">{instead}</section>;
  const onChange = may(organisation, 'policy.manage') ? setChanging : undefined;
  return (
    <>
      <Lead answer={answer} />
      <Table title="Visitors of your sites" about="visitors" answer={answer} onChange={onChange} />
      <Table title="People with an account" about="accounts" answer={answer} onChange={onChange} />
      {changing !== undefined && (
        <BasisForm
          organisation={id}
          row={changing}
          onClose={() => setChanging(undefined)}
          onSaved={(saved) => {
            set(saved);
            setChanging(undefined);
          }}
        />
      )}
    </>
  );
}

function Lead({ answer }: { answer: BasesAnswer }) {
  const stricter = answer.purposes.flatMap(({ bases }) => bases).filter(({ basis, shipped }) => basis !== shipped);
  return (
    <section className="panel wi-lead" aria-labelledby="consent">
      <div>
        <h2 id="consent">
          {stricter.length === 0
            ? 'Bases as shipped'
            : stricter.length === 1
              ? 'One basis is stricter than shipped'
              : `${stricter.length} bases are stricter than shipped`}
        </h2>
        <p className="q2">
          Each purpose rests on one basis in each region. In the EEA, the UK and Switzerland silence is a no, and so is
          a signal that cannot be read; a place that is not known counts as one of them. What is shipped is a place to
          begin, and no legal advice.
        </p>
      </div>
    </section>
  );
}

function Table({
  title,
  about,
  answer,
  onChange,
}: {
  title: string;
  about: PurposeRow['about'];
  answer: BasesAnswer;
  onChange: ((row: PurposeRow) => void) | undefined;
}) {
  const rows = answer.purposes.filter((row) => row.about === about);
  const shown = onChange === undefined ? heads : [...heads, ''];
  return (
    <section className="panel wi-lines">
      <h2>{title}</h2>
      <div className="list many">
        <table>
          <thead>
            <tr>
              {shown.map((head) => (
                <th key={head} scope="col">
                  {head === '' ? <span className="vh">Actions</span> : head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.purpose}>
                <td className="some">{row.words}</td>
                {row.bases.map((cell) => (
                  <td key={cell.region} className="some" data-head={regionWords[cell.region]}>
                    <Basis of={cell} />
                  </td>
                ))}
                {onChange !== undefined && (
                  <td className="acts">
                    {row.bases.some(({ choices }) => choices.length > 1) && (
                      <button type="button" className="btn sm" onClick={() => onChange(row)}>
                        Change<span className="vh"> the basis of {row.words}</span>
                      </button>
                    )}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Basis({ of: { basis, shipped } }: { of: Cell }) {
  if (basis === shipped) return <>{basisWords[basis]}</>;
  return (
    <>
      <b>{basisWords[basis]}</b>
      <div className="q2">shipped: {basisWords[shipped]}</div>
    </>
  );
}

const recordHeads = ['When', 'Who', 'Purpose', 'State', 'Words', 'How'];

function Records({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { answer, set, instead } = useRead(
    useCallback(() => consent.records(id), [id]),
    'records of consent',
    recordHeads,
  );
  if (answer === undefined) return <section className="panel list many">{instead}</section>;
  const { records, next } = answer;
  return (
    <section className="panel wi-lines">
      <h2>Records</h2>
      <p className="q2">
        {records.length === 0
          ? 'No consent is recorded yet. A banner, a form or a shop records it with POST /api/organisations/…/consents and a key that has consents:write.'
          : 'The newest first. People are pseudonyms; nobody can change or remove a record.'}
      </p>
      {records.length > 0 && (
        <div className="list many">
          <table>
            <thead>
              <tr>
                {recordHeads.map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {records.map((record) => (
                <Line key={record.id} of={record} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {next !== null && (
        <p>
          <button
            type="button"
            className="btn"
            onClick={async () => {
              const more = await consent.records(id, next);
              set({ records: [...records, ...more.records], next: more.next });
            }}
          >
            Show earlier records
          </button>
        </p>
      )}
    </section>
  );
}

function Line({ of: record }: { of: ConsentRecord }) {
  const [sign, word] = stateWords[record.state];
  return (
    <tr>
      <td>{momentText(record.at)}</td>
      <td data-head="Who">
        <code title="The same person has the same signs">{record.subject}</code>
      </td>
      <td data-head="Purpose">
        {record.purpose.replaceAll('_', ' ')} <span className="q">{regionWords[record.region]}</span>
      </td>
      <td data-head="State">
        <span className={`st ${sign}`}>
          <Glyph state={sign} />
          {word}
        </span>
      </td>
      <td data-head="Words">version {record.text_version}</td>
      <td data-head="How">{wayWords[record.how]}</td>
    </tr>
  );
}

import { useState } from 'react';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph, Icon } from '../controls/icons.tsx';
import { momentText } from '../edge/reader.ts';
import { type Corrections, type Measure, type RequestDetail, requests } from './api.ts';
import { fieldWords, measureWords, sumOf } from './words.ts';

type Field4 = Corrections[number]['field'];

/** What was done for rectification, restriction and objection, and whether it is in force. */
export function MeasuresOf({
  of,
  request,
  onEnd,
  onKeep,
}: {
  of: number;
  request: RequestDetail;
  onEnd: () => void;
  onKeep: () => void;
}) {
  const { id, kind, measures, restriction } = request;
  const isForce = restriction !== null;
  return (
    <section className="panel wi-lines" aria-labelledby="measures">
      <div className="wi-lead">
        <div>
          <h2 id="measures">{isForce ? (kind === 'objection' ? 'Objection' : 'Restriction') : 'Correction'}</h2>
          {restriction !== null && <Standing request={request} />}
        </div>
        {restriction !== null && restriction.ended_at === null && (
          <div className="rq-acts">
            <button type="button" className="btn" onClick={onEnd}>
              {restriction.ending === null ? 'End it' : 'They were told in another way'}
            </button>
            {restriction.ending !== null && (
              <button type="button" className="btn" onClick={onKeep}>
                Keep it in force
              </button>
            )}
          </div>
        )}
      </div>
      {measures.map((measure) => (
        <One key={measure.number} of={of} id={id} measure={measure} />
      ))}
    </section>
  );
}

function Standing({ request: { restriction } }: { request: RequestDetail }) {
  if (restriction === null) return null;
  const { began_at, ended_at, ending } = restriction;
  if (ended_at !== null)
    return (
      <p className="st idle" role="status">
        <Glyph state="idle" />
        In force from {momentText(began_at)} until {momentText(ended_at)}
      </p>
    );
  const isStuck = ending?.letter === 'failed';
  return (
    <>
      <p className="st ok" role="status">
        <Glyph state="ok" />
        In force since {momentText(began_at)}: their data is kept and not used
      </p>
      {ending !== null && (
        <p className={isStuck ? 'st bad' : 'q2'}>
          {isStuck && <Glyph state="bad" />}
          {isStuck
            ? 'It goes on, although it was to end: the letter that tells them did not leave. Tell them in another way.'
            : ending.letter === 'waiting'
              ? `Ends on ${momentText(ending.lifts_at)}, once the letter that tells them has left. Why: ${ending.why}`
              : `Ends on ${momentText(ending.lifts_at)}; they were told on ${momentText(ending.told_at)}. Why: ${ending.why}`}
        </p>
      )}
    </>
  );
}

function One({ of, id, measure }: { of: number; id: number; measure: Measure }) {
  const { number, does, written_at, systems } = measure;
  const isCorrection = does === 'corrected';
  const shown = systems.filter(
    ({ found, changed, kept, from_now_on }) =>
      changed.length > 0 || kept.length > 0 || (does === 'restricted' && (found.length > 0 || from_now_on !== null)),
  );
  const heads = isCorrection ? ['What', 'Put right', 'Left as it is'] : ['What', 'Found', 'From then on'];
  return (
    <>
      <div className="wi-lead">
        <p>
          {measureWords[does]}, {momentText(written_at)}
        </p>
        <a className="btn sm" href={requests.receiptPath(of, id, number)} download>
          <Icon name="download" />
          Signed receipt<span className="vh"> {number}</span>
        </a>
      </div>
      {isCorrection && shown.length === 0 && <p className="rq-none">Nothing of this was stored about them.</p>}
      {shown.length > 0 && (
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
              {shown.map(({ system, what, found, changed, kept, from_now_on }) => (
                <tr key={system}>
                  <td className="some">{what}</td>
                  {isCorrection ? (
                    <>
                      <td data-head="Put right" className="some">
                        {changed.length === 0
                          ? '–'
                          : changed.map(({ field, before, table }, at) => (
                              <div key={`${field} ${table} ${at.toString()}`}>
                                {fieldWords[field]}, {before === 'none' ? 'was empty' : 'was another'}
                              </div>
                            ))}
                      </td>
                      <td data-head="Left as it is" className="some">
                        {kept.length === 0 ? '–' : [...new Set(kept.map(({ why }) => why))].join('; ')}
                      </td>
                    </>
                  ) : (
                    <>
                      <td data-head="Found">{sumOf(found)}</td>
                      <td data-head="From then on" className="some">
                        {from_now_on ?? 'kept'}
                      </td>
                    </>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

const fields: readonly Field4[] = ['name', 'email', 'external-id', 'picture'];

/** What is right: every field that is filled in is put right wherever it is stored. */
export function CorrectForm({
  of,
  request,
  onSaved,
  onClose,
}: {
  of: number;
  request: RequestDetail;
  onSaved: (changed: RequestDetail) => void;
  onClose: () => void;
}) {
  const [values, setValues] = useState<Record<string, string>>({});
  const said = fields.flatMap((field) => {
    const value = (values[field] ?? '').trim();
    return value === '' ? [] : [{ field, value } as Corrections[number]];
  });
  return (
    <FormDialog
      label="Put their data right"
      title="Put their data right"
      lead={
        <p>
          What you write here takes the place of what is stored about them, in every profile. A page that goes on saying
          the old value changes nothing.
        </p>
      }
      fields={['corrections', ...fields]}
      act="Put it right"
      isResting={said.length === 0}
      onSend={async () => onSaved(await requests.correct(of, request.id, said))}
      onClose={onClose}
    >
      {(errorOf, clear) =>
        fields.map((field, at) => (
          <Field
            key={field}
            label={fieldWords[field]}
            {...(at === 0 ? { help: 'Leave empty what is right already.' } : {})}
            error={errorOf(field) ?? (at === 0 ? errorOf('corrections') : undefined)}
          >
            {(props) => (
              <input
                {...props}
                className="in"
                type={field === 'email' ? 'email' : field === 'picture' ? 'url' : 'text'}
                maxLength={field === 'name' ? 120 : field === 'email' ? 254 : field === 'picture' ? 2000 : 200}
                value={values[field] ?? ''}
                onChange={(event) => {
                  clear();
                  setValues({ ...values, [field]: event.target.value });
                }}
              />
            )}
          </Field>
        ))
      }
    </FormDialog>
  );
}

/** The end of a restriction: whoever asked is told before, with the reason. */
export function EndForm({
  of,
  request,
  onSaved,
  onClose,
}: {
  of: number;
  request: RequestDetail;
  onSaved: (changed: RequestDetail) => void;
  onClose: () => void;
}) {
  const hasAddress = request.restriction?.has_address === true;
  const isTold = request.restriction?.ending != null;
  const [told, setTold] = useState<'mail' | 'by-hand'>(hasAddress && !isTold ? 'mail' : 'by-hand');
  const [why, setWhy] = useState(request.restriction?.ending?.why ?? '');
  return (
    <FormDialog
      label="End it"
      title="Use their data again?"
      lead={<p>They have to be told before (GDPR, article 18(3)), with the reason.</p>}
      fields={['told', 'why']}
      act={told === 'mail' ? 'Tell them' : 'End it now'}
      isDangerous={told === 'by-hand'}
      isResting={why.trim() === ''}
      onSend={async () => onSaved(await requests.restrict(of, request.id, { to: 'ending', told, why }))}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          <Field
            label="How they are told"
            help={
              told === 'mail'
                ? 'It ends three days later, and not before the letter has left.'
                : 'It ends at once: tell them first.'
            }
            error={errorOf('told')}
          >
            {(props) => (
              <Select {...props} value={told} onChange={(event) => setTold(event.target.value as typeof told)}>
                {hasAddress && <option value="mail">By a letter of this desk</option>}
                <option value="by-hand">I have told them in another way</option>
              </Select>
            )}
          </Field>
          <Field label="Why" help="Without names: these words stay for three years." error={errorOf('why')}>
            {(props) => (
              <textarea
                {...props}
                className="in rq-words"
                rows={3}
                maxLength={1000}
                value={why}
                onChange={(event) => {
                  clear();
                  setWhy(event.target.value);
                }}
              />
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}

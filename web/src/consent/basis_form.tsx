import { useState } from 'react';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { type BasesAnswer, type Cell, consent, type LawfulBasis, type PurposeRow } from './api.ts';
import { basisWords, regionWords } from './words.ts';

/** Another basis for one purpose in one region: as shipped, or stricter. */
export function BasisForm({
  organisation,
  row,
  onClose,
  onSaved,
}: {
  organisation: number;
  row: PurposeRow;
  onClose: () => void;
  onSaved: (answer: BasesAnswer) => void;
}) {
  const open = row.bases.filter(({ choices }) => choices.length > 1);
  const [cell, setCell] = useState(open[0] as Cell);
  const [basis, setBasis] = useState<LawfulBasis>(cell.basis);
  return (
    <FormDialog
      label="Change a basis"
      title={row.words}
      lead={<p>A basis may be stricter than shipped, never looser. It holds at once, and each version stays.</p>}
      fields={['basis']}
      act="Set this basis"
      isResting={basis === cell.basis}
      onSend={async () => onSaved(await consent.change(organisation, row.purpose, cell, basis))}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          <Field label="Region">
            {(props) => (
              <Select
                {...props}
                value={cell.region}
                onChange={(event) => {
                  clear();
                  const chosen = open.find(({ region }) => region === event.target.value) as Cell;
                  setCell(chosen);
                  setBasis(chosen.basis);
                }}
              >
                {open.map(({ region }) => (
                  <option key={region} value={region}>
                    {regionWords[region]}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <Field label="Basis" error={errorOf('basis')}>
            {(props) => (
              <Select
                {...props}
                value={basis}
                onChange={(event) => {
                  clear();
                  setBasis(event.target.value as LawfulBasis);
                }}
              >
                {cell.choices.map((choice) => (
                  <option key={choice} value={choice}>
                    {basisWords[choice]}
                    {choice === cell.shipped ? ' (as shipped)' : ''}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}

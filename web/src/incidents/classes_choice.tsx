import { touched } from './words.ts';

/** Which kinds of data it is about, by class of the ledger. */
export function ClassesChoice({
  chosen,
  onChange,
}: {
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
}) {
  return (
    <fieldset className="in-classes">
      <legend>Which data</legend>
      {touched.map(([id, words]) => (
        <label key={id}>
          <input
            type="checkbox"
            checked={chosen.includes(id)}
            onChange={({ target }) => onChange(target.checked ? [...chosen, id] : chosen.filter((one) => one !== id))}
          />
          {words}
        </label>
      ))}
    </fieldset>
  );
}

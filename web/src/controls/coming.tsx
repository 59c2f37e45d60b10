import './coming.css';

/** How much of its cell a bone fills, row by row: uneven, as words are. */
const widths = [62, 46, 70, 54, 38, 66];

/**
 * What stands in the place of a list until it is here: its heads, and rows of its height. The style sheet draws it after
 * 200 ms, so that a fast answer does not flash, and its room is there from the start, so that nothing moves (ui.md §9).
 */
export function ComingRows({
  what,
  heads = [''],
  rows = 4,
  lines = 1,
}: {
  /** What is read, as a screen reader hears it: “your sessions”. */
  what: string;
  /** The heads of the table that comes; none where rows have no heads. */
  heads?: readonly string[];
  rows?: number;
  /** Lines of a row. */
  lines?: 1 | 2;
}) {
  return (
    <div className="awaited" aria-busy="true">
      <Said what={what} />
      <table aria-hidden="true">
        {heads.some((head) => head !== '') && (
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head}>{head}</th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>
          {Array.from({ length: rows }, (_, row) => (
            <tr key={row}>
              {heads.map((head, column) => (
                <td key={head} className={column === 0 ? 'fill' : ''}>
                  <Bone width={column === 0 ? (widths[row % widths.length] ?? 0) : 72} />
                  {column === 0 && lines === 2 && <Bone width={28} />}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What stands in the place of a form: labels and fields. */
export function ComingForm({ what, fields = 3 }: { what: string; fields?: number }) {
  return (
    <div className="awaited awaited-form" aria-busy="true">
      <Said what={what} />
      {Array.from({ length: fields }, (_, field) => (
        <div key={field} aria-hidden="true">
          <Bone width={(widths[field % widths.length] ?? 0) / 3} />
          <i className="awaited-field" />
        </div>
      ))}
    </div>
  );
}

/** A number of a list that is not here yet. */
export function ComingCell() {
  return (
    <span className="awaited">
      <span className="vh">…</span>
      <i className="awaited-cell" aria-hidden="true" />
    </span>
  );
}

function Said({ what }: { what: string }) {
  return (
    <p className="vh" role="status">
      Reading {what}.
    </p>
  );
}

function Bone({ width }: { width: number }) {
  return <i className="bone-line" style={{ width: `${width}%` }} />;
}

import { exactCount } from '../numbers/format.ts';
import './step_bars.css';

export interface BarStep {
  /** Unique among the steps. */
  key: string;
  /** In full, for the row of the table. */
  name: string;
  /** What is said when it is pointed at. */
  said: string;
  /** One for each kind of bar. */
  values: readonly number[];
}

/**
 * Bars by step, drawn over each other, with the two ends of their axis; and the same as a table for people who do not
 * see them. What the bars are is said beside them.
 */
export function StepBars({
  steps,
  kinds,
  top,
  ends,
  caption,
  stepHead,
}: {
  steps: readonly BarStep[];
  /** The kinds of bars, back to front: the head of a column, and the class that colours a bar. */
  kinds: readonly { head: string; className: string }[];
  /** The value of a bar that takes the whole height. */
  top: number;
  ends: readonly [first: string, last: string];
  caption: string;
  stepHead: string;
}) {
  return (
    <>
      <div className="step-bars" aria-hidden="true">
        {steps.map(({ key, said, values }) => (
          <div key={key} title={said}>
            {kinds.map(({ className }, at) => (
              <i key={className} className={className} style={{ height: `${(100 * (values[at] ?? 0)) / top}%` }} />
            ))}
          </div>
        ))}
      </div>
      <div className="step-ends" aria-hidden="true">
        <span>{ends[0]}</span>
        <span>{ends[1]}</span>
      </div>
      {/* A table by itself keeps its height, seen or not. */}
      <div className="vh">
        <table>
          <caption>{caption}</caption>
          <thead>
            <tr>
              <th scope="col">{stepHead}</th>
              {kinds.map(({ head }) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {steps.map(({ key, name, values }) => (
              <tr key={key}>
                <th scope="row">{name}</th>
                {kinds.map(({ head }, at) => (
                  <td key={head}>{exactCount(values[at] ?? 0)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

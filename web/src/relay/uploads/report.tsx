import type { ReactNode } from 'react';
import type { RelayUpload, UploadReport } from '../../../../contract/relay_uploads.ts';
import { Icon } from '../../controls/icons.tsx';
import { counted, exactCount } from '../../numbers/format.ts';
import { momentText } from './moment.ts';
import { problemText } from './words.ts';

/** What would come of the whole file: how many are new, how many are there, what is wrong and where. */
export function DryRun({ upload, report, zone }: { upload: RelayUpload; report: UploadReport; zone: string }) {
  const { same_file_as: same } = upload;
  return (
    <div className="ru-report">
      <h4>What would come</h4>
      <dl>
        <Fact label="Rows">{exactCount(report.rows)}</Fact>
        <Fact label="New conversions">
          <b>{exactCount(report.fresh)}</b>
        </Fact>
        <Fact label="Already there">{exactCount(report.known)}</Fact>
        <Fact label="Told twice in the file">{exactCount(report.repeated)}</Fact>
        <Fact label="Wrong">{report.wrong === 0 ? '0' : <b className="ru-bad">{exactCount(report.wrong)}</b>}</Fact>
        <Fact label="No conversions">{exactCount(report.ignored)}</Fact>
        {report.first_at !== null && report.last_at !== null && (
          <Fact label="From, to">
            {momentText(report.first_at, zone)} – {momentText(report.last_at, zone)}
          </Fact>
        )}
        <Fact label="Events">
          {report.events.map(({ name, count }) => `${name} ${exactCount(count)}`).join(', ') || 'none'}
        </Fact>
      </dl>
      {same !== null && (
        <p className="note warn off">
          <Icon name="alert" />
          <span>
            This very file was sent before, as {same.file_name}
            {same.mapping_version !== upload.mapping_version &&
              `, and read by version ${same.mapping_version} of the mapping`}
            . What is there already is not taken again.
          </span>
        </p>
      )}
      {report.identities.words > 0 && (
        <p className="q2">
          {counted(report.identities.words, 'row has', 'rows have')} neither order nor event id. The same words are the
          same conversion, whenever they come; a mapping that makes other words of them makes another conversion.
        </p>
      )}
      {report.problems.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">What is the matter</th>
              <th scope="col" className="num">
                Rows
              </th>
              <th scope="col">First</th>
            </tr>
          </thead>
          <tbody>
            {report.problems.map((problem) => (
              <tr key={`${problem.field} ${problem.reason}`}>
                <td>{problemText(problem)}</td>
                <td className="num">{exactCount(problem.rows)}</td>
                <td className="q2">{problem.first_rows.slice(0, 5).join(', ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {report.missing_columns.length > 0 && (
        <p className="q">The mapping looks for columns that this file has not: {report.missing_columns.join(', ')}.</p>
      )}
      {report.unused_columns.length > 0 && <p className="q">Not read: {report.unused_columns.join(', ')}.</p>}
    </div>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

import { useCallback } from 'react';
import { ComingRows } from '../controls/coming.tsx';
import { useReading } from '../desk/reading.ts';
import { type Organisation, useSession } from '../desk/session.tsx';
import { documents } from '../documents/api.ts';
import { momentText } from '../edge/reader.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { documentNames } from '../sign_up/agreement.tsx';
import { signUpApi } from '../sign_up/api.ts';
import { OwnConsentsPart } from './consents.tsx';

/** What I have agreed to, in which version, when. */
export function AccountAgreements() {
  const reading = useReading(signUpApi.agreements);
  if (reading.problem !== undefined)
    return <Failed {...reading.problem} onRetry={reading.reload} what="Your agreements could not be read." />;
  if (reading.answer === undefined)
    return (
      <div className="list">
        <ComingRows what="your agreements" heads={['Document', 'Version', 'Accepted']} />
      </div>
    );
  const { accepted, due } = reading.answer;
  return (
    <div className="settings wide">
      <section>
        <h2>What you agreed to</h2>
        <p>
          Kept as long as your account, and never changed.{' '}
          <a className="link" href="/legal">
            All documents of this desk
          </a>
        </p>
        {due.length > 0 && (
          <p className="note warn" role="status">
            {due.map(({ kind }) => documentNames[kind]).join(', ')}: a version waits to be accepted.{' '}
            <a className="link" href="/">
              Read and accept it
            </a>
          </p>
        )}
        {accepted.length === 0 ? (
          <Empty title="Nothing was accepted yet.">This desk has asked you for nothing so far.</Empty>
        ) : (
          <div className="list">
            <table>
              <thead>
                <tr>
                  <th className="fill">Document</th>
                  <th>Version</th>
                  <th>Accepted</th>
                </tr>
              </thead>
              <tbody>
                {accepted.map((one) => (
                  <tr key={`${one.kind} ${one.version}`}>
                    <td className="fill">{one.kind === 'age' ? 'Age attested' : documentNames[one.kind]}</td>
                    <td>
                      {one.path === null ? (
                        `${one.version} or more`
                      ) : (
                        <a className="link" href={one.path}>
                          {one.version}
                        </a>
                      )}
                    </td>
                    <td className="q">
                      {momentText(one.accepted_at)}
                      {one.withdrawn_at === null ? '' : `; the desk withdrew it ${momentText(one.withdrawn_at)}`}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <OwnConsentsPart />
      <WhomToAsk />
    </div>
  );
}

/** Who answers questions about data, of each organisation that one belongs to. */
function WhomToAsk() {
  const { organisations } = useSession();
  return (
    <section>
      <h2>Whom to ask about data</h2>
      {organisations.map((one) => (
        <Contact key={one.id} organisation={one} />
      ))}
    </section>
  );
}

function Contact({ organisation: { id, name, slug } }: { organisation: Organisation }) {
  const { answer } = useReading(useCallback(() => documents.identity(id), [id]));
  const line = (who: string, of: { contact: string | null; officer: string | null }) =>
    `${who}: ${of.contact ?? 'nobody is named yet'}${of.officer === null ? '' : `. Data protection officer: ${of.officer}`}`;
  return (
    <p>
      {answer === undefined ? `${name}: reading whom to ask…` : line(name, answer.organisation)}
      {answer !== undefined && answer.organisation.version > 0 && (
        <>
          {'. '}
          <a className="link" href={`/legal/${slug}`}>
            Documents of {name}
          </a>
        </>
      )}
      {answer !== undefined && answer.operator.contact !== null && (
        <>
          <br />
          {line('Operator of this desk', answer.operator)}
        </>
      )}
    </p>
  );
}

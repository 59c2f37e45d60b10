import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { origin } from '../edge/browser.ts';
import type { ApiCall } from '../numbers/curl.ts';
import { curlText } from '../numbers/curl.ts';
import { CopyButton } from './copy.tsx';

/** The same numbers for a program: the call behind a report, ready to be copied. */
export function CallBox({ site, call }: { site: string; call: ApiCall }) {
  const text = curlText(origin(), call);
  return (
    <details className="call">
      <summary>The same by API</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling block must be reachable by keyboard. */}
      <pre className="code" tabIndex={0}>
        {text}
      </pre>
      <div className="editor-foot">
        <CopyButton text={text} label="Copy for a shell" />
        {call.body !== undefined && <CopyButton text={JSON.stringify(call.body, null, 2)} label="Copy the question" />}
        <span className="q">
          <Link className="link" href={pathOf({ page: 'settings', site, section: 'keys' })}>
            Keys
          </Link>{' '}
          ·{' '}
          <a className="link" href="/api/docs">
            API
          </a>
        </span>
      </div>
    </details>
  );
}

import type { PastedRequest } from '../../../../contract/relay_settings.ts';
import { Field } from '../../controls/field.tsx';

/** A request that somebody pastes: a body of JSON or a form, or the address of a postback. */
export function PasteRequest({
  text,
  onChange,
  hasNone,
}: {
  text: string;
  onChange: (text: string) => void;
  hasNone: boolean;
}) {
  return (
    <div className="mp-paste">
      {hasNone && (
        <p className="q2">
          <b>No request has come yet.</b> Send one to the address of this source, or paste one here.
        </p>
      )}
      <Field label="Body, or the address of a postback" help="It is looked at and not kept.">
        {(props) => (
          <textarea
            {...props}
            className="in mono"
            spellCheck={false}
            rows={text.length > 200 ? 6 : 4}
            placeholder={'{"id": 4711, "total": "19.90"}\nor cid=…&payout=12.50'}
            value={text}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
    </div>
  );
}

const isJson = (text: string) => /^\s*[[{]/.test(text);

/** Can it be looked at already? JSON that is being typed mostly cannot. */
export function isWholeRequest(text: string): boolean {
  if (!isJson(text)) return text.includes('=');
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export function pastedOf(text: string): PastedRequest {
  if (isJson(text)) return { method: 'POST', headers: { 'content-type': 'application/json' }, body: text };
  const asked = text.trim();
  const isAddress = /^(https?:\/\/|\/|\?)/.test(asked);
  return isAddress
    ? { method: 'GET', query: asked }
    : { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: asked };
}

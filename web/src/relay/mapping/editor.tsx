import { useMemo, useState } from 'react';
import type { Mapping } from '../../../../contract/mapping.ts';
import type { RelayCapture, RelaySource } from '../../../../contract/relay_settings.ts';
import { Link, navigate, useAddress } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { Glyph, Icon } from '../../controls/icons.tsx';
import { resting } from '../../controls/resting.ts';
import type { Site } from '../../desk/api.ts';
import type { Organisation } from '../../desk/session.tsx';
import { captureReasonWords, momentText } from '../words.ts';
import { Fields } from './fields.tsx';
import { casesOf, fieldsAt, isItems, type RuleObject, rulesOf, setField, usedPaths, writtenRules } from './model.ts';
import { Outgoing } from './outgoing.tsx';
import { isWholeRequest, PasteRequest, pastedOf } from './paste.tsx';
import { SaveDialog } from './save.tsx';
import { RequestTree } from './tree.tsx';
import { pathInItems } from './tree_rows.ts';
import { useTrial } from './use_trial.ts';
import { Versions } from './versions.tsx';

type Pane = 'request' | 'conversion' | 'sent';
const paneWords: Record<Pane, string> = { request: 'Request', conversion: 'Conversion', sent: 'To be sent' };

/** Three panes that follow each other: what came, what is made of it, what would be sent. */
export function Editor({
  site,
  organisation,
  mayChange,
  source,
  captures,
  saved,
  onSaved,
}: {
  site: Site;
  organisation: Organisation;
  mayChange: boolean;
  source: RelaySource;
  captures: readonly RelayCapture[];
  saved: Mapping;
  onSaved: () => void;
}) {
  const { pathname, search } = useAddress();
  const wanted = new URLSearchParams(search).get('request') ?? captures[0]?.id;
  const at = captures.findIndex(({ id }) => id === wanted);
  const [pasted, setPasted] = useState('');
  const [isPasting, setPasting] = useState(captures.length === 0);
  const [mapping, setMapping] = useState(saved);
  const [text, setText] = useState<string>();
  const cases = casesOf(mapping);
  const [caseAt, setCase] = useState(cases.at(-1)?.at ?? 0);
  const [open, setOpen] = useState<string>();
  const [isWhole, setWhole] = useState(source.mapping_version === 0);
  const [pane, setPane] = useState<Pane>(captures.length === 0 ? 'request' : 'conversion');
  const [dialog, setDialog] = useState<'save' | 'versions'>();

  const captureId = isPasting ? undefined : captures[at]?.id;
  const request = isPasting && isWholeRequest(pasted) ? pastedOf(pasted) : undefined;
  const trial = captureId !== undefined ? { mapping, capture_id: captureId } : request && { mapping, request };
  const { tried, problem } = useTrial(organisation.id, source.id, trial as never);
  const used = useMemo(() => usedPaths(mapping), [mapping]);
  const lit = useMemo(() => litBy(mapping, caseAt, open), [mapping, caseAt, open]);
  const isSame = JSON.stringify(mapping) === JSON.stringify(saved);
  const jsonProblem = text === undefined ? undefined : problemOf(text);

  const go = (to: number) => {
    const capture = captures[to];
    if (capture !== undefined) navigate(`${pathname}?request=${capture.id}`, { replace: true, keepScroll: true });
  };
  /** A value was clicked: its path goes into the open field, or nowhere where none is open. */
  const pick = (path: string) => {
    if (open === undefined || !mayChange) return;
    setMapping(picked(mapping, caseAt, open, path));
    setText(undefined);
    setPane('conversion');
  };
  const filled = Object.keys(fieldsAt(mapping, caseAt)).length;
  return (
    <>
      <div className="mp-bar">
        <Link className="btn quiet sm" href={pathOf({ page: 'relay-source', site: site.domain, source: source.id })}>
          <Icon name="back" />
          {source.name}
        </Link>
        <span className="tag">
          {source.mapping_version === 0 ? 'no version yet' : `version ${source.mapping_version}`}
          {isSame ? '' : ', changed'}
        </span>
        <span className="mp-verdict">
          <Verdict tried={tried} problem={problem?.message ?? jsonProblem} hasRequest={trial !== undefined} />
        </span>
        <span className="rl-acts">
          <button type="button" className="btn sm" onClick={() => setDialog('versions')}>
            Versions
          </button>
          {mayChange && (
            <button
              type="button"
              className="btn main-act sm"
              {...(isSame || jsonProblem !== undefined ? resting(true) : { onClick: () => setDialog('save') })}
            >
              Save version {source.mapping_version + 1}
            </button>
          )}
        </span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset does not lay out as a row of buttons. */}
      <div className="seg mp-panes" role="group" aria-label="Part of the editor">
        {(Object.keys(paneWords) as Pane[]).map((one) => (
          <button key={one} type="button" aria-pressed={pane === one} onClick={() => setPane(one)}>
            {paneWords[one]}
          </button>
        ))}
      </div>
      <div className="mp-three" data-pane={pane}>
        <section className="mp-pane mp-request" aria-label="Request">
          <header>
            <h2>{isPasting ? 'Pasted request' : 'Captured request'}</h2>
            <span className="end">
              {!isPasting && captures.length > 0 && (
                <>
                  <button
                    type="button"
                    className="btn quiet icon sm"
                    aria-label="Newer request"
                    {...(at <= 0 ? resting(true) : { onClick: () => go(at - 1) })}
                  >
                    <Icon name="left" />
                  </button>
                  <button
                    type="button"
                    className="btn quiet icon sm"
                    aria-label="Older request"
                    {...(at >= captures.length - 1 ? resting(true) : { onClick: () => go(at + 1) })}
                  >
                    <Icon name="right" />
                  </button>
                </>
              )}
              {(captures.length > 0 || isPasting) && captures.length > 0 && (
                <button type="button" className="btn quiet sm" onClick={() => setPasting(!isPasting)}>
                  {isPasting ? 'Kept ones' : 'Paste one'}
                </button>
              )}
            </span>
          </header>
          <div className="mp-body">
            {isPasting ? (
              <PasteRequest text={pasted} onChange={setPasted} hasNone={captures.length === 0} />
            ) : (
              <p className="mp-came">
                {captures[at] === undefined
                  ? 'This request is not kept any more.'
                  : `${momentText(captures[at].received_at, site.timezone)} · ${at + 1} of ${captures.length}`}
                {tried?.read != null &&
                  ` · ${tried.read.method}${tried.read.records > 1 ? `, ${tried.read.records} records` : ''}`}
              </p>
            )}
            {tried?.read != null && (
              <>
                <RequestTree
                  key={`b ${wanted} ${isPasting}`}
                  label="Body"
                  data={tried.read.body}
                  {...{ used, lit }}
                  onPick={pick}
                />
                {Object.keys(tried.read.query).length > 0 && (
                  <>
                    <h3>In the address</h3>
                    <RequestTree
                      key={`q ${wanted}`}
                      label="Query"
                      data={tried.read.query}
                      root="$query"
                      {...{ used, lit }}
                      onPick={pick}
                    />
                  </>
                )}
                {Object.keys(tried.read.headers).length > 0 && (
                  <>
                    <h3>Headers</h3>
                    <RequestTree
                      key={`h ${wanted}`}
                      label="Headers"
                      data={tried.read.headers}
                      root="$headers"
                      {...{ used, lit }}
                      onPick={pick}
                    />
                  </>
                )}
                <p className="mp-hint">
                  What may be a person’s is hidden.{' '}
                  {open === undefined
                    ? 'Open a field, then click the value that it comes from.'
                    : `A click takes a value into ${open}.`}
                </p>
              </>
            )}
          </div>
        </section>
        <section className="mp-pane mp-middle" aria-label="Conversion">
          <header>
            <h2>Conversion</h2>
            <span className="q">{filled === 1 ? '1 field mapped' : `${filled} fields mapped`}</span>
            <span className="end">
              {cases.length > 1 && text === undefined && (
                <span className="pick">
                  <select
                    aria-label="Case of the mapping"
                    value={caseAt}
                    onChange={(event) => setCase(Number(event.target.value))}
                  >
                    {cases.map((one) => (
                      <option key={one.at} value={one.at}>
                        {one.label}
                      </option>
                    ))}
                  </select>
                </span>
              )}
              {text === undefined && (
                <button
                  type="button"
                  className="btn quiet sm"
                  aria-pressed={isWhole}
                  onClick={() => setWhole(!isWhole)}
                >
                  All fields
                </button>
              )}
              <button
                type="button"
                className="btn quiet sm"
                aria-pressed={text !== undefined}
                onClick={() => setText(text === undefined ? JSON.stringify(mapping, null, 2) : undefined)}
              >
                JSON
              </button>
            </span>
          </header>
          <div className="mp-body">
            {text !== undefined ? (
              <div className="mp-json">
                <textarea
                  aria-label="The mapping as JSON"
                  className="in mono"
                  spellCheck={false}
                  readOnly={!mayChange}
                  value={text}
                  onChange={(event) => {
                    setText(event.target.value);
                    if (problemOf(event.target.value) === undefined)
                      setMapping(JSON.parse(event.target.value) as Mapping);
                  }}
                />
                {(jsonProblem ?? tried?.mapping_problem?.sentence) !== undefined && (
                  <p className="st bad" role="status">
                    <Glyph state="bad" />
                    <span>{jsonProblem ?? `${tried?.mapping_problem?.at}: ${tried?.mapping_problem?.sentence}`}</span>
                  </p>
                )}
              </div>
            ) : (
              <Fields
                {...{ mapping, tried, open, isWhole, mayChange }}
                at={caseAt}
                onOpen={setOpen}
                onChange={setMapping}
              />
            )}
          </div>
        </section>
        <section className="mp-pane mp-out" aria-label="To be sent">
          <Outgoing
            deliveries={tried?.conversions[0]?.deliveries}
            destinationsHref={pathOf({ page: 'relay-destinations', site: site.domain })}
          />
        </section>
      </div>
      {dialog === 'save' && (
        <SaveDialog
          {...{ organisation, source, saved, mapping }}
          onSaved={onSaved}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === 'versions' && (
        <Versions
          {...{ organisation, source, mayChange, site }}
          onRestored={onSaved}
          onClose={() => setDialog(undefined)}
        />
      )}
    </>
  );
}

/** What is made of the request on the left, in a line. */
function Verdict({
  tried,
  problem,
  hasRequest,
}: {
  tried: ReturnType<typeof useTrial>['tried'];
  problem: string | undefined;
  hasRequest: boolean;
}) {
  if (problem !== undefined)
    return (
      <span className="st bad" role="status">
        <Glyph state="bad" />
        <span>{problem}</span>
      </span>
    );
  if (!hasRequest || tried === undefined)
    return <span className="q">{hasRequest ? '…' : 'No request to look at yet.'}</span>;
  const { mapping_problem: wrong, found, problems, reason, field } = tried;
  if (wrong !== null) return <Bad>{`The mapping: ${wrong.at === '' ? '' : `${wrong.at} `}${wrong.sentence}`}</Bad>;
  if (reason === 'ignored' && problems.length === 0)
    return <span className="st rl-quiet">The mapping says that this is no conversion.</span>;
  if (problems.length > 0 || reason !== null) {
    const words = reason === null ? 'has a problem' : (captureReasonWords[reason] ?? reason.replaceAll('_', ' '));
    return <Bad>{field === null ? `${words}.` : `${field} ${words}.`}</Bad>;
  }
  return (
    <span className="st ok" role="status">
      <Glyph state="ok" />
      <span>{found === 1 ? 'One conversion.' : `${found} conversions; the first is shown.`}</span>
    </span>
  );
}

function Bad({ children }: { children: string }) {
  return (
    <span className="st bad" role="status">
      <Glyph state="bad" />
      <span>{children}</span>
    </span>
  );
}

function problemOf(text: string): string | undefined {
  try {
    const given: unknown = JSON.parse(text);
    const isOne = typeof given === 'object' && given !== null && ('fields' in given || 'cases' in given);
    return isOne ? undefined : 'A mapping has fields, or cases with fields.';
  } catch (error) {
    return `This is no JSON yet: ${(error as Error).message}.`;
  }
}

/** Puts a path into the first rule of a field; into items as their list and the way in it. */
function picked(mapping: Mapping, at: number, field: string, path: string): Mapping {
  const rules = fieldsAt(mapping, at)[field];
  if (field === 'items') {
    const found = pathInItems(path);
    if (found === undefined) return mapping;
    const fields = isItems(rules) ? rules.fields : { id: '' };
    const focused = document.activeElement?.getAttribute('name')?.replace('mapped-', '');
    const part = focused === 'quantity' || focused === 'price' ? focused : partOf(found.path, fields);
    return setField(mapping, at, field, { each: found.each, fields: { ...fields, [part]: found.path } });
  }
  const [first = {}, ...rest] = isItems(rules) ? [] : rulesOf(rules);
  const { template: _, ...kept } = first as RuleObject;
  return setField(mapping, at, field, writtenRules([{ ...kept, path }, ...rest]));
}

/** What a value of an item probably is, by its name; the id where nothing says otherwise. */
function partOf(path: string, fields: { id: unknown; quantity?: unknown }): 'id' | 'quantity' | 'price' {
  if (/quantity|qty|count/i.test(path)) return 'quantity';
  if (/price|total|amount/i.test(path)) return 'price';
  return fields.id === '' || /id|sku/i.test(path) ? 'id' : 'quantity';
}

function litBy(mapping: Mapping, at: number, field: string | undefined): ReadonlySet<string> {
  const rules = field === undefined ? undefined : fieldsAt(mapping, at)[field];
  if (field === undefined || rules === undefined) return new Set();
  return usedPaths({ fields: { [field]: rules } } as Mapping);
}

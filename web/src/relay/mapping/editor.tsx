import { useEffect, useMemo, useRef, useState } from 'react';
import type { Mapping } from '../../../../contract/mapping.ts';
import type { RelayCapture, RelaySource } from '../../../../contract/relay_settings.ts';
import { Link, navigate, useAddress } from '../../address/navigate.tsx';
import { pathOf } from '../../address/route.ts';
import { Glyph, Icon } from '../../controls/icons.tsx';
import { resting } from '../../controls/resting.ts';
import { asDeskError, type Site } from '../../desk/api.ts';
import { type Organisation, useSession } from '../../desk/session.tsx';
import { relayOf } from '../api.ts';
import { fieldProblem, whenText } from '../words.ts';
import { CaseList } from './case_list.tsx';
import { caseList, isIgnored, mainCase } from './cases.ts';
import { placeOf } from './drafts.ts';
import { Fields } from './fields.tsx';
import { fieldsAt, isItems, pathWithin, type RuleObject, rulesOf, setField, usedPaths, writtenRules } from './model.ts';
import { onTop } from './on_top.ts';
import { Outgoing } from './outgoing.tsx';
import { isWholeRequest, pastedOf } from './paste.tsx';
import { type Taker, TakerContext } from './path_input.tsx';
import { RequestPane } from './request_pane.tsx';
import { SaveDialog } from './save.tsx';
import { pathInItems } from './tree_rows.ts';
import { unfinished } from './unfinished.ts';
import { useDraft } from './use_draft.ts';
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
  said,
  onSaved,
}: {
  site: Site;
  organisation: Organisation;
  mayChange: boolean;
  source: RelaySource;
  captures: readonly RelayCapture[];
  saved: Mapping;
  /** What was done just now, such as a version that was saved. */
  said: string | undefined;
  onSaved: (said: string | undefined) => void;
}) {
  const { person } = useSession();
  const { pathname, search } = useAddress();
  const wanted = new URLSearchParams(search).get('request') ?? captures[0]?.id;
  const at = captures.findIndex(({ id }) => id === wanted);
  const [pasted, setPasted] = useState('');
  const [isPasting, setPasting] = useState(captures.length === 0);
  const version = source.mapping_version;
  const hasCame = captures.length > 0;
  // The first request comes while somebody waits for it: it takes the place of the field for one that is pasted.
  useEffect(() => {
    if (hasCame && pasted === '') setPasting(false);
  }, [hasCame]);
  const { mapping, draft, isKept, ...drafts } = useDraft(placeOf(person.id, source.id), saved, version);
  const [text, setText] = useState<string>();
  const [chosen, setCase] = useState<number>();
  const [open, setOpen] = useState<string>();
  const [isWhole, setWhole] = useState(version === 0);
  const [pane, setPane] = useState<Pane>(captures.length === 0 ? 'request' : 'conversion');
  const [dialog, setDialog] = useState<'save' | 'versions'>();
  const [undo, setUndo] = useState<{ words: string; mapping: Mapping }>();
  const taker = useRef<Taker['current']>(undefined);

  const cases = caseList(mapping);
  const caseAt = chosen !== undefined && chosen < cases.length ? chosen : mainCase(mapping);
  const one = cases[caseAt];
  const each = one === undefined || isIgnored(one) ? undefined : one.each;
  const inCase = (path: string) => pathWithin(each, path);
  const lack = unfinished(mapping);
  // What is half done is not tried: the last that was whole stays, and the bar says what is missing.
  const whole = useRef(mapping);
  if (lack === undefined) whole.current = mapping;

  const captureId = isPasting ? undefined : captures[at]?.id;
  const request = isPasting && isWholeRequest(pasted) ? pastedOf(pasted) : undefined;
  const tryIt = { mapping: whole.current };
  const trial = captureId !== undefined ? { ...tryIt, capture_id: captureId } : request && { ...tryIt, request };
  const { tried, problem } = useTrial(organisation.id, source.id, trial as never);
  const used = useMemo(() => usedPaths(mapping), [mapping]);
  const lit = useMemo(() => litBy(mapping, caseAt, open), [mapping, caseAt, open]);
  const jsonProblem = text === undefined ? undefined : problemOf(text);
  const isBehind = draft !== undefined && draft.after !== version;

  const change = (next: Mapping) => {
    drafts.set(next);
    setUndo(undefined);
  };
  const putOnTop = async () => {
    const after = draft?.after ?? 0;
    try {
      const base: Mapping =
        after === 0 ? { fields: {} } : (await relayOf(organisation.id).mapping(source.id, after)).mapping;
      const mixed = onTop({ base, draft: mapping, current: saved });
      drafts.rebase(mixed ?? mapping);
      setText(undefined);
      setUndo({
        words:
          mixed === undefined
            ? `Its cases are others than those of version ${version}, so the draft takes its place.`
            : `The draft’s changes are in version ${version} now.`,
        mapping,
      });
    } catch (error) {
      setUndo({ words: asDeskError(error).message, mapping });
    }
  };
  const go = (to: number) => {
    const capture = captures[to];
    if (capture !== undefined) navigate(`${pathname}?request=${capture.id}`, { replace: true, keepScroll: true });
  };
  /** A value was clicked: its path goes where the cursor was last, else into the open field, else nowhere. */
  const pick = (path: string) => {
    if (!mayChange) return;
    const asked = taker.current;
    if (asked?.element.isConnected === true) asked.take(path);
    else if (open !== undefined) change(picked(mapping, caseAt, open, path));
    else return;
    setText(undefined);
    setPane('conversion');
  };
  const filled = Object.keys(fieldsAt(mapping, caseAt)).length;
  const wrong = problem?.message ?? jsonProblem ?? lack;
  return (
    <div className="mp-whole">
      <div className="mp-bar">
        <Link className="btn quiet sm" href={pathOf({ page: 'relay-source', site: site.domain, source: source.id })}>
          <Icon name="back" />
          {source.name}
        </Link>
        <span className="tag">
          {draft === undefined
            ? version === 0
              ? 'no version yet'
              : `version ${version}`
            : `draft${draft.after === 0 ? '' : `, from version ${draft.after}`}, of ${whenText(new Date(draft.at).toISOString(), site.timezone)}`}
        </span>
        <span className="mp-verdict">
          {undo !== undefined ? (
            <span role="status">
              {undo.words}{' '}
              <button
                type="button"
                className="btn quiet sm"
                onClick={() => {
                  drafts.set(undo.mapping);
                  setUndo(undefined);
                }}
              >
                Undo
              </button>
            </span>
          ) : (
            said !== undefined && draft === undefined && <span role="status">{said}</span>
          )}
          <Verdict
            tried={tried}
            problem={wrong}
            hasRequest={trial !== undefined}
            isMapped={(field) => field in fieldsAt(mapping, caseAt)}
          />
        </span>
        <span className="rl-acts">
          {draft !== undefined && mayChange && (
            <button
              type="button"
              className="btn quiet sm"
              onClick={() => {
                setUndo({ words: 'The draft is discarded.', mapping });
                drafts.discard();
                setText(undefined);
              }}
            >
              Discard
            </button>
          )}
          <button type="button" className="btn sm" onClick={() => setDialog('versions')}>
            Versions
          </button>
          {mayChange && (
            <button
              type="button"
              className="btn main-act sm"
              {...(draft === undefined || isBehind || jsonProblem !== undefined || lack !== undefined
                ? resting(true)
                : { onClick: () => setDialog('save') })}
            >
              Save version {version + 1}
            </button>
          )}
        </span>
      </div>
      {isBehind && (
        <div className="mp-note note warn" role="status">
          <Icon name="alert" />
          <span>
            <b>
              Version {version} was saved after this draft began
              {draft.after === 0 ? '' : ` from version ${draft.after}`}.
            </b>{' '}
            Put on top, the draft’s changes go into it, and of what both changed the draft’s stay; the list of changes
            before saving shows them.
          </span>
          <span className="rl-acts">
            <button type="button" className="btn sm" onClick={() => void putOnTop()}>
              Put it on top of version {version}
            </button>
            <button type="button" className="btn quiet sm" onClick={() => setDialog('versions')}>
              Look at the versions
            </button>
          </span>
        </div>
      )}
      {draft !== undefined && !isKept && (
        <p className="mp-note note warn" role="status">
          <Icon name="alert" />
          <span>This browser does not keep the draft: it is lost with the tab. Save it before you leave.</span>
        </p>
      )}
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset does not lay out as a row of buttons. */}
      <div className="seg mp-panes" role="group" aria-label="Part of the editor">
        {(Object.keys(paneWords) as Pane[]).map((one) => (
          <button key={one} type="button" aria-pressed={pane === one} onClick={() => setPane(one)}>
            {paneWords[one]}
          </button>
        ))}
      </div>
      <div className="mp-three" data-pane={pane}>
        <RequestPane
          {...{ site, captures, at, isPasting, pasted, tried, used, lit }}
          hint={
            open === undefined && one !== undefined && !isIgnored(one)
              ? 'Open a field, then click the value that it comes from.'
              : open === undefined
                ? 'A click takes a value into the condition.'
                : `A click takes a value into ${open}, or where the cursor was last.`
          }
          onGo={go}
          onPasting={setPasting}
          onPaste={setPasted}
          onPick={pick}
        />
        <section className="mp-pane mp-middle" aria-label="Conversion">
          <header>
            <h2>Conversion</h2>
            <span className="q">{filled === 1 ? '1 field mapped' : `${filled} fields mapped`}</span>
            <span className="end">
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
                    if (problemOf(event.target.value) === undefined) change(JSON.parse(event.target.value) as Mapping);
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
              <TakerContext value={taker}>
                <CaseList
                  {...{ mapping, mayChange }}
                  at={caseAt}
                  onChoose={setCase}
                  onChange={(next, place) => {
                    const isLess = caseList(next).length < cases.length;
                    drafts.set(next);
                    setUndo(isLess ? { words: 'The case is taken away.', mapping } : undefined);
                    setCase(place);
                  }}
                />
                {one !== undefined && isIgnored(one) ? (
                  <div className="mp-ignored">
                    <p className="q2">Requests of this case are taken and are no conversion.</p>
                    {mayChange && (
                      <button type="button" className="btn sm" onClick={() => change(withMade(mapping, caseAt))}>
                        Make conversions of them
                      </button>
                    )}
                  </div>
                ) : (
                  <Fields
                    key={caseAt}
                    {...{ mapping, tried, open, isWhole, mayChange }}
                    at={caseAt}
                    pathOf={inCase}
                    onOpen={(field) => {
                      taker.current = undefined;
                      setOpen(field);
                    }}
                    onChange={change}
                  />
                )}
              </TakerContext>
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
          onSaved={(words) => {
            drafts.drop();
            onSaved(words);
          }}
          onBehind={() => onSaved(undefined)}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === 'versions' && (
        <Versions
          {...{ organisation, source, mayChange, site }}
          onRestored={() => onSaved(undefined)}
          onClose={() => setDialog(undefined)}
        />
      )}
    </div>
  );
}

/** What is made of the request on the left, in a line. */
function Verdict({
  tried,
  problem,
  hasRequest,
  isMapped,
}: {
  tried: ReturnType<typeof useTrial>['tried'];
  problem: string | undefined;
  hasRequest: boolean;
  isMapped: (field: string) => boolean;
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
    if (field === 'mapping.each') {
      const what = `${problems[0]?.path ?? 'The list'} ${reason === 'missing' ? 'is not in' : 'is no list in'}`;
      const rest =
        found > 0
          ? `one part of this request: nothing is made of that.`
          : `this request: there is nothing to make conversions of.`;
      return <Bad>{`${what} ${rest}`}</Bad>;
    }
    if (reason === 'missing' && field !== null && !isMapped(field)) return <Bad>{`${field} is not mapped yet.`}</Bad>;
    const words = reason === null ? 'has a problem' : fieldProblem(field ?? '', reason);
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

/** Puts a path into the first rule of a field that gives none yet, else of the first; into items as their list and the way in it. */
function picked(mapping: Mapping, at: number, field: string, path: string): Mapping {
  const rules = fieldsAt(mapping, at)[field];
  const one = caseList(mapping)[at];
  const own = pathWithin(one === undefined || isIgnored(one) ? undefined : one.each, path);
  if (field === 'items') {
    const found = pathInItems(own);
    if (found === undefined) return mapping;
    const fields = isItems(rules) ? rules.fields : { id: '' };
    return setField(mapping, at, field, {
      each: found.each,
      fields: { ...fields, [partOf(found.path, fields)]: found.path },
    });
  }
  const [first = {}, ...rest] = isItems(rules) ? [] : rulesOf(rules);
  const { template: _, ...kept } = first as RuleObject;
  return setField(mapping, at, field, writtenRules([{ ...kept, path: own }, ...rest]));
}

/** A case that was to be no conversion, with the fields of the last that makes some. */
function withMade(mapping: Mapping, at: number): Mapping {
  const list = caseList(mapping);
  const when = list[at]?.when;
  const cases = list.with(at, {
    ...(when === undefined ? {} : { when }),
    fields: fieldsAt(mapping, mainCase(mapping)),
  });
  return { cases: [...cases] };
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
  const one = caseList(mapping)[at];
  const each = one === undefined || isIgnored(one) ? undefined : one.each;
  return usedPaths({ ...(each === undefined ? {} : { each }), fields: { [field]: rules } });
}

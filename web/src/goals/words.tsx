import { CutPath } from '../controls/cut_path.tsx';
import type { Goal, GoalRule } from '../desk/api.ts';

/**
 * What a goal counts, as people say it: `Page /thanks`, `Event Signup, plan is pro`, `75% of page /blog**`.
 * @param oneLine a path that does not fit is cut in its middle
 */
export function RuleText({ rule, oneLine = false }: { rule: GoalRule; oneLine?: boolean }) {
  const { kind, match, property, scroll_depth: depth } = rule;
  if (oneLine && kind !== 'event')
    return (
      <span className="gl-line" title={match}>
        <span>{kind === 'page' ? 'Page' : `${depth}% of page`}</span>
        <code className="ref">
          <CutPath text={match} />
        </code>
      </span>
    );
  const code = (
    <code className="ref" dir="auto">
      {match}
    </code>
  );
  if (kind === 'page') return <>Page {code}</>;
  if (kind === 'scroll')
    return (
      <>
        {depth}% of page {code}
      </>
    );
  return (
    <>
      Event {code}
      {property != null && (
        <>
          , {property.name} is{' '}
          <code className="ref" dir="auto">
            {property.value}
          </code>
        </>
      )}
    </>
  );
}

/** The same without marks, for a file. */
export function ruleWords({ kind, match, property, scroll_depth: depth }: GoalRule): string {
  if (kind === 'page') return `Page ${match}`;
  if (kind === 'scroll') return `${depth}% of page ${match}`;
  return `Event ${match}${property == null ? '' : `, ${property.name} is ${property.value}`}`;
}

/** How often a goal was reached means nothing for scrolling: reading further is not another time. */
export function countsTimes(rule: Pick<GoalRule, 'kind'>): boolean {
  return rule.kind !== 'scroll';
}

/** The goal as it is sent. */
export function sentOf({ id: _, ...rest }: Goal) {
  return rest;
}

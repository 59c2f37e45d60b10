import { useEffect, useRef, useState } from 'react';
import { now } from '../edge/browser.ts';
import type { DeskError, QueryAnswer, QueryRequest, QueryResult } from './api.ts';
import { api, asDeskError } from './api.ts';

/**
 * Answers to questions, kept by the question itself. A view names the questions it shows; those without an answer
 * go out together in one batch. So a first look is one request, and a tab or a step asks for itself only.
 */
export type Answer =
  | { state: 'waiting'; old: QueryAnswer | undefined; late: boolean; long: boolean }
  | { state: 'here'; answer: QueryAnswer; at: number; tookMs: number }
  | { state: 'failed'; code: string; message: string; reference: string | undefined; old: QueryAnswer | undefined };

/** Skeletons and dimming appear only when an answer takes longer than this: quick answers do not flicker (ui.md §9). */
const lateMs = 200;
const longMs = 4_000;
/** Questions kept; the oldest go first. A view has about ten. */
const keptMax = 300;

interface Kept {
  result: QueryResult | undefined;
  error: DeskError | undefined;
  at: number;
  tookMs: number;
}
const kept = new Map<string, Kept>();

export function questionKey(question: QueryRequest): string {
  return JSON.stringify(question);
}

/** Forgets everything: after signing out, nobody else's numbers may be seen. */
export function forgetAnswers(): void {
  kept.clear();
}

/**
 * Asks the named questions and gives an answer for each. While new ones are on their way, `old` holds what the same
 * name showed before. `tick` makes the same questions be asked again, quietly: what is shown stays until they differ.
 */
export function useAnswers<Name extends string>(
  questions: Record<Name, QueryRequest>,
  tick = 0,
  /** False while the questions are not settled yet: nothing is asked, and every answer is on its way. */
  ready = true,
): { answers: Record<Name, Answer>; retry: () => void } {
  const [, redraw] = useState(0);
  const [attempt, setAttempt] = useState(0);
  const shown = useRef(new Map<string, { key: string; answer: QueryAnswer }>());
  const waiting = useRef({ key: '', late: false, long: false });
  const entries = Object.entries(questions) as [Name, QueryRequest][];
  const keys = entries.map(([, question]) => questionKey(question));
  const signature = keys.join('\n');
  const lastTick = useRef(tick);

  useEffect(() => {
    if (!ready) return;
    const quiet = lastTick.current !== tick;
    lastTick.current = tick;
    const missing = entries.filter(([, question]) => quiet || kept.get(questionKey(question))?.result === undefined);
    if (missing.length === 0) return;
    const stop = new AbortController();
    waiting.current = { key: signature, late: false, long: false };
    const timers = quiet
      ? []
      : [
          setTimeout(() => {
            waiting.current.late = true;
            redraw((count) => count + 1);
          }, lateMs),
          setTimeout(() => {
            waiting.current.long = true;
            redraw((count) => count + 1);
          }, longMs),
        ];
    const asked = missing.map(([, question]) => question);
    const from = now();
    const ended = () => ({ at: now(), tookMs: now() - from });
    api
      .ask(asked, stop.signal)
      .then(
        (results) => {
          for (const [at, question] of asked.entries())
            keep(questionKey(question), { result: results[at], error: undefined, ...ended() });
        },
        (error: unknown) => {
          // A refresh that fails says nothing new about numbers that are already here; the store's health says it.
          if (stop.signal.aborted || quiet) return;
          for (const question of asked)
            keep(questionKey(question), { result: undefined, error: asDeskError(error), ...ended() });
        },
      )
      .finally(() => {
        for (const timer of timers) clearTimeout(timer);
        if (!stop.signal.aborted) redraw((count) => count + 1);
      });
    return () => {
      for (const timer of timers) clearTimeout(timer);
      stop.abort();
    };
  }, [signature, tick, attempt, ready]);

  const answers = {} as Record<Name, Answer>;
  for (const [at, [name]] of entries.entries()) {
    const key = keys[at] as string;
    const found = kept.get(key);
    const before = shown.current.get(name);
    const result = found?.result;
    // After a failure only an older answer to the same question may stay; another question's would be a wrong number.
    const same = before?.key === key ? before.answer : undefined;
    if (result !== undefined && !('error' in result)) {
      shown.current.set(name, { key, answer: result });
      answers[name] = { state: 'here', answer: result, at: found?.at ?? 0, tookMs: found?.tookMs ?? 0 };
    } else if (result !== undefined) {
      answers[name] = {
        state: 'failed',
        code: result.error.code,
        message: result.error.message,
        reference: undefined,
        old: same,
      };
    } else if (found?.error !== undefined) {
      answers[name] = {
        state: 'failed',
        code: found.error.code,
        message: found.error.message,
        reference: found.error.reference,
        old: same,
      };
    } else {
      const own = waiting.current.key === signature;
      answers[name] = {
        state: 'waiting',
        old: before?.answer,
        late: own && waiting.current.late,
        long: own && waiting.current.long,
      };
    }
  }
  return {
    answers,
    retry: () => {
      for (const key of keys) {
        const found = kept.get(key);
        if (found !== undefined && (found.result === undefined || 'error' in found.result)) kept.delete(key);
      }
      setAttempt((count) => count + 1);
    },
  };
}

function keep(key: string, value: Kept): void {
  kept.delete(key);
  kept.set(key, value);
  while (kept.size > keptMax) kept.delete(kept.keys().next().value as string);
}

/** What there is to draw: the new answer, or the old one meanwhile; nothing of a question that was not asked. */
export function drawn(answer: Answer | undefined): QueryAnswer | undefined {
  return answer?.state === 'here' ? answer.answer : answer?.old;
}

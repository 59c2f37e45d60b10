import type { ReactNode } from 'react';
import { useCallback, useEffect, useState } from 'react';
import { ComingForm } from '../controls/coming.tsx';
import { FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { Failed } from '../overview/states.tsx';
import { type Account, people } from './api.ts';

/** The account of the reader, and what stands in its place until it is here. */
export function useAccount(): {
  account: Account | undefined;
  set: (account: Account) => void;
  reload: () => void;
  instead: ReactNode;
} {
  const [account, set] = useState<Account>();
  const [problem, setProblem] = useState<DeskError>();
  const reload = useCallback(() => {
    setProblem(undefined);
    people.account().then(set, (error: unknown) => setProblem(asDeskError(error)));
  }, []);
  useEffect(reload, [reload]);
  const instead =
    problem === undefined ? (
      <ComingForm what="your account" fields={4} />
    ) : (
      <Failed
        code={problem.code}
        message={problem.message}
        reference={problem.reference}
        onRetry={reload}
        what="Your account could not be read."
      />
    );
  return { account, set, reload, instead };
}

/** One thing at a time that is asked of the desk: whether it is under way, what it said, and whether it is done. */
export function useAsk() {
  const [state, setState] = useState<'idle' | 'asking' | 'done'>('idle');
  const [refusal, setRefusal] = useState<DeskError>();
  return {
    asking: state === 'asking',
    done: state === 'done',
    refusal,
    errorOf: (field: string) => (refusal?.field === field ? refusal.message : undefined),
    clear() {
      setState('idle');
      setRefusal(undefined);
    },
    /** @returns the answer, or undefined when the desk refused */
    async ask<T>(work: () => Promise<T>): Promise<{ answer: T } | undefined> {
      setState('asking');
      setRefusal(undefined);
      try {
        const answer = await work();
        setState('done');
        return { answer };
      } catch (error) {
        setState('idle');
        setRefusal(asDeskError(error));
        return undefined;
      }
    },
  };
}
export type Ask = ReturnType<typeof useAsk>;

/** What the desk refused without naming a field that the form has. */
export function Refusal({ of: { refusal }, fields = [] }: { of: Ask; fields?: readonly string[] }) {
  if (refusal === undefined || (refusal.field !== undefined && fields.includes(refusal.field))) return null;
  return <FormError message={refusal.message} reference={refusal.status === 500 ? refusal.reference : undefined} />;
}

export function Done({ when, children }: { when: boolean; children: ReactNode }) {
  return (
    <span role="status">
      {when && (
        <span className="st ok">
          <Glyph state="ok" />
          {children}
        </span>
      )}
    </span>
  );
}
